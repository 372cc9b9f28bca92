--- A JSON schema's check as APISIX's jsonschema does it, of as much as the plugin uses. Fills in
-- defaults, and says what is wrong.

local KINDS = {string = "string", number = "number", integer = "number", boolean = "boolean",
  object = "table", array = "table"}

local KNOWN = {type = true, properties = true, required = true, encrypt_fields = true,
  additionalProperties = true, items = true, default = true, ["$comment"] = true}

local check

local function check_properties(schema, value)
  for name, property in pairs(schema.properties or {}) do
    if value[name] == nil then value[name] = property.default end
    if value[name] ~= nil then
      local ok, wrong = check(property, value[name])
      if not ok then return false, ('property "%s" validation failed: %s'):format(name, wrong) end
    end
  end
  for _, name in ipairs(schema.required or {}) do
    if value[name] == nil then return false, ('property "%s" is required'):format(name) end
  end
  return true
end

--- Returns true; or false and what is wrong.
function check(schema, value)
  for name in pairs(schema) do assert(KNOWN[name], name) end
  local kind = assert(KINDS[schema.type], "the type of a schema")
  if type(value) ~= kind or schema.type == "integer" and value % 1 ~= 0 then
    return false, ("wrong type: expected %s, got %s"):format(schema.type, type(value))
  end
  if kind ~= "table" then return true end
  local each_of = schema.items or schema.additionalProperties
  for name, each in pairs(each_of and value or {}) do
    local ok, wrong = check(each_of, each)
    if not ok then return false, tostring(name) .. ": " .. wrong end
  end
  return check_properties(schema, value)
end

return check
