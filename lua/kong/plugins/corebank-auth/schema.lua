--- The configuration of the plugin for Kong, made from the list of options.

local configuration = require "corebank.auth.gateway.configuration"
local fields = require "corebank.auth.gateway.fields"
local typedefs = require "kong.db.schema.typedefs"

-- Kong's type of each type in gateway/fields.lua.
local make = {
  string = function() return {type = "string", referenceable = true} end,
  secret = function() return {type = "string", referenceable = true, encrypted = true} end,
  number = function() return {type = "number"} end,
  integer = function() return {type = "integer"} end,
  boolean = function() return {type = "boolean"} end,
  statuses = function() return {type = "array", elements = {type = "integer"}} end,
}

function make.headers()
  return {type = "map", keys = {type = "string"},
    values = {type = "string", referenceable = true, encrypted = true, len_min = 0}}
end

function make.redis()
  local record = {type = "record", fields = {}}
  for i, field in ipairs(fields.redis) do
    record.fields[i] = {[field.name] = make[field.type]()}
  end
  return record
end

local config = {type = "record", required = true, fields = {}}

for i, field in ipairs(fields.list) do
  local made = make[field.type]()
  made.required, made.default = field.required, field.default
  if made.type == "string" and field.check "" then made.len_min = 0 end
  if field.type ~= "redis" then   -- a record's is checked with the others: Kong adds fields to it
    made.custom_validator = function(value)
      local reason = configuration.fault(field, value)
      if reason then return nil, reason end
      return true
    end
  end
  config.fields[i] = {[field.name] = made}
end

local function check_together(entity)
  local mistake = configuration.mistake(configuration.values(entity.config))
  if mistake then return nil, mistake end
  return true
end

return {
  name = "corebank-auth",
  fields = {
    {protocols = typedefs.protocols_http},
    {config = config},
  },
  entity_checks = {
    {custom_entity_check = {field_sources = {"config"}, fn = check_together}},
  },
}
