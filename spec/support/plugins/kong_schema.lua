--- What Kong does with a plugin's schema: its rules for the schema itself, and for a configuration.
--
-- The rules are those of Kong 3's kong/db/schema: metaschema.lua and init.lua.

local null = ngx.null

local schema = {}

-- ---- the schema itself -------------------------------------------------------------------------

-- The attributes of a field, and of which types.
local ANY = "string number integer boolean array set map record"
local ATTRIBUTES = {
  type = ANY, required = ANY, default = ANY, custom_validator = ANY, err = ANY, encrypted = ANY,
  referenceable = "string", len_min = "string array set map", len_max = "string array set map",
  one_of = "string number integer", between = "number integer", match = "string",
  elements = "array set", keys = "map", values = "map", fields = "record",
  entity_checks = "record",
}
local NEEDED = {array = {"elements"}, map = {"keys", "values"}, record = {"fields"}}

local function check_field(name, field)
  assert(type(field) == "table" and ANY:find(tostring(field.type), 1, true), name .. ": its type")
  for attribute, value in pairs(field) do
    local types = ATTRIBUTES[attribute]
    assert(types and types:find(field.type, 1, true),
      ("%s: a field of type %s cannot have %s"):format(name, field.type, attribute))
    assert(attribute ~= "required" or type(value) == "boolean", name .. ": required")
  end
  for _, attribute in ipairs(NEEDED[field.type] or {}) do
    assert(field[attribute], name .. " lacks " .. attribute)
  end
  for _, attribute in ipairs{"elements", "keys", "values"} do
    if field[attribute] then check_field(name .. "." .. attribute, field[attribute]) end
  end
  for _, item in ipairs(field.fields or {}) do
    local inner, more = next(item), next(item, (next(item)))
    assert(type(inner) == "string" and more == nil, name .. ": an entry of fields has one key")
    check_field(name .. "." .. inner, item[inner])
  end
end

--- Raises when Kong would not load the schema.
function schema.check(made)
  local allowed = {name = true, fields = true, entity_checks = true}
  for name in pairs(made) do assert(allowed[name], name) end
  for _, item in ipairs(made.fields) do
    local name = next(item)
    if item[name] ~= "protocols_http" then check_field(name, item[name]) end
  end
  for _, check in ipairs(made.entity_checks or {}) do
    local name, argument = next(check)
    assert(name == "custom_entity_check" and type(argument.fn) == "function")
    for attribute in pairs(argument) do
      assert(attribute == "field_sources" or attribute == "fn", attribute)
    end
  end
end

-- ---- a configuration ---------------------------------------------------------------------------

local function is_reference(value)
  return type(value) == "string" and value:find "^{vault://.*}$" ~= nil
end

local LUA_TYPES = {string = "string", number = "number", integer = "number", boolean = "boolean",
  array = "table", map = "table", record = "table"}

local check_value

local function check_record(record, value)
  local known, errors = {}, {}
  for _, item in ipairs(record.fields) do
    local name, field = next(item)
    known[name] = true
    local each = value[name]
    if each == nil then value[name] = field.default == nil and null or field.default end
    if field.required and (value[name] == nil or value[name] == null) then
      errors[name] = "required field missing"
    elseif each ~= nil and each ~= null then
      errors[name] = check_value(field, each)
    end
  end
  for name in pairs(value) do
    if not known[name] then errors[name] = "unknown field" end
  end
  return next(errors) and errors or nil
end

-- Returns what is wrong.
function check_value(field, value)
  if type(value) ~= LUA_TYPES[field.type] then return "expected a " .. field.type end
  if field.type == "integer" and value % 1 ~= 0 then return "expected an integer" end
  if field.referenceable and is_reference(value) then return nil end
  if field.type == "string" and #value < (field.len_min or 1) then
    return "length must be at least 1"
  end
  local wrong_fields = field.fields and check_record(field, value)
  if wrong_fields then return wrong_fields end
  local each_of = field.values or field.elements
  for name, each in pairs(each_of and value or {}) do
    local wrong = check_value(each_of, each)
    if wrong then return tostring(name) .. ": " .. wrong end
  end
  if field.custom_validator then
    local ok, mistake = field.custom_validator(value)
    if not ok then return mistake end
  end
end

local function flat(errors)
  if type(errors) == "string" then return errors end
  local parts = {}
  for name, each in pairs(errors) do parts[#parts + 1] = name .. ": " .. flat(each) end
  table.sort(parts)
  return table.concat(parts, "; ")
end

--- Checks a configuration and fills in the defaults. Returns what Kong would say is wrong.
function schema.validate(made, config)
  local record
  for _, item in ipairs(made.fields) do record = item.config or record end
  local errors = check_value(record, config)
  if errors then return "schema violation (config." .. flat(errors) .. ")" end
  for _, check in ipairs(made.entity_checks) do
    local ok, mistake = check.custom_entity_check.fn{config = config}
    if not ok then return "schema violation (" .. mistake .. ")" end
  end
end

--- Replaces references by what a vault holds, as when a configuration is read for the proxy.
function schema.resolve(made, config, vault)
  local record
  for _, item in ipairs(made.fields) do record = item.config or record end
  local function resolve_record(fields, value)
    local refs = {}
    for _, item in ipairs(fields) do
      local name, field = next(item)
      local each = value[name]
      if each == null then value[name] = nil end
      if field.referenceable and is_reference(each) then
        refs[name], value[name] = each, vault(each) or ""
      elseif field.type == "map" and field.values.referenceable and type(each) == "table" then
        for key, inner in pairs(each) do
          if is_reference(inner) then
            refs[name] = refs[name] or {}
            refs[name][key], each[key] = inner, vault(inner) or ""
          end
        end
      elseif field.fields and type(each) == "table" then
        resolve_record(field.fields, each)
      end
      if field.type == "string" and (field.len_min or 1) > 0 and value[name] == ""
        and not refs[name] then
        value[name] = nil
      end
    end
    value["$refs"] = next(refs) and refs or nil
  end
  resolve_record(record.fields, config)
  return config
end

--- Writes what a vault holds now into a configuration, as Kong does before it calls a plugin.
function schema.update(config, vault)
  for name, value in pairs(config) do
    if name ~= "$refs" and type(value) == "table" then schema.update(value, vault) end
  end
  for name, reference in pairs(config["$refs"] or {}) do
    if type(reference) == "table" then
      for key, each in pairs(reference) do config[name][key] = vault(each) or "" end
    else
      config[name] = vault(reference) or ""
    end
  end
end

return schema
