-- Sealing: what only a holder of the secret can read, and where it may be read.

local core = require "corebank.auth.core"

local LONGEST = 128 * 1024
local OVERHEAD = 41

local secret = core.secret("canary-secret-sealing")
local CONTEXT = "https://bank.example client"

local function flipped(bytes, position)
  local byte = bytes:byte(position)
  local changed = byte % 2 == 0 and byte + 1 or byte - 1
  return bytes:sub(1, position - 1) .. string.char(changed) .. bytes:sub(position + 1)
end

describe("what is sealed", function()
  it("opens with the same secret and context, whatever the text", function()
    for _, text in ipairs{"", "a", "\0", ("canary-token-x"):rep(300), ("\255"):rep(LONGEST)} do
      local sealed = core.seal(secret, CONTEXT, text)
      assert.equal(#text + OVERHEAD, #sealed)
      assert.is_true(core.unseal(secret, CONTEXT, sealed) == text)
      assert.is_true(core.unseal(core.secret("canary-secret-sealing"), CONTEXT, sealed) == text)
    end
  end)

  it("shows nothing of the text, and is never the same", function()
    local text = "canary-token-sealed"
    local first, second = core.seal(secret, CONTEXT, text), core.seal(secret, CONTEXT, text)
    assert.is_true(first ~= second)
    assert.is_nil(first:find("canary", 1, true))
    assert.is_nil(first:find("sealing", 1, true))
    local different = 0
    for i = 2, #first do different = different + (first:byte(i) ~= second:byte(i) and 1 or 0) end
    assert.is_true(different > (#first - 1) * 0.8)
  end)

  it("does not open with another secret", function()
    local sealed = core.seal(secret, CONTEXT, "text")
    for _, other in ipairs{"canary-secret-sealinG", "canary-secret-sealing ", "c"} do
      assert.is_nil(core.unseal(core.secret(other), CONTEXT, sealed))
    end
  end)

  it("does not open in another context, nor under another name", function()
    local sealed = core.seal(secret, CONTEXT, "text")
    for _, other in ipairs{"", CONTEXT .. " ", CONTEXT:upper(), CONTEXT .. "\0"} do
      assert.is_nil(core.unseal(secret, other, sealed))
      assert.are_not.equal(core.entry_name(secret, CONTEXT), core.entry_name(secret, other))
    end
    local empty = core.seal(secret, "", "text")
    assert.equal("text", core.unseal(secret, "", empty))
    assert.is_nil(core.unseal(secret, CONTEXT, empty))
  end)

  it("does not open when a byte was changed, is missing or one too many", function()
    local sealed = core.seal(secret, CONTEXT, "canary-token-whole")
    for i = 1, #sealed do assert.is_nil(core.unseal(secret, CONTEXT, flipped(sealed, i))) end
    for length = 0, #sealed - 1 do
      assert.is_nil(core.unseal(secret, CONTEXT, sealed:sub(1, length)))
      assert.is_nil(core.unseal(secret, CONTEXT, sealed:sub(-length - 1, -2)))
    end
    assert.is_nil(core.unseal(secret, CONTEXT, sealed .. "\0"))
    assert.is_nil(core.unseal(secret, CONTEXT, "\0" .. sealed))
    assert.is_nil(core.unseal(secret, CONTEXT, ("x"):rep(LONGEST + OVERHEAD)))
    assert.is_nil(core.unseal(secret, CONTEXT, ("\1"):rep(LONGEST + OVERHEAD + 1)))
    assert.equal("canary-token-whole", core.unseal(secret, CONTEXT, sealed))
  end)

  -- What an older version has sealed, a newer one reads: the derivations are part of the format.
  it("opens what version 0.1.0 has sealed", function()
    local hex = "01d8d3d07e1cd3c01a58f1e1eecdffc8a39eb88a230e6a2db8"
      .. "1446448c616fd08c607746e5f4d6240181a44936"
    local sealed = hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end)
    local old = core.secret("a secret")
    assert.equal("text", core.unseal(old, "a context", sealed))
    assert.equal("fd394d2a3e33fa72ede1ca539e5a36ec", core.entry_name(old, "a context"))
  end)
end)

describe("an entry's name", function()
  it("is 32 hex digits, the same each time, another for another secret or context", function()
    local name = core.entry_name(secret, CONTEXT)
    assert.is_truthy(name:find("^%x+$"))
    assert.equal(32, #name)
    assert.equal(name, core.entry_name(core.secret("canary-secret-sealing"), CONTEXT))
    assert.are_not.equal(name, core.entry_name(core.secret("canary-secret-another"), CONTEXT))
    assert.are_not.equal(name, core.entry_name(secret, "another"))
  end)
end)

describe("sealing", function()
  it("raises for what is not a secret, closed, too long or no string", function()
    local closed = core.secret("canary-secret-closed")
    closed:close()
    for _, call in ipairs{core.seal, core.unseal} do
      assert.is_false((pcall(call)))
      assert.is_false((pcall(call, "a string", "context", "text")))
      assert.is_false((pcall(call, closed, "context", "text")))
      assert.is_false((pcall(call, secret, nil, "text")))
      assert.is_false((pcall(call, secret, "context", {})))
    end
    assert.is_false((pcall(core.seal, secret, "context", ("x"):rep(LONGEST + 1))))
    assert.is_false((pcall(core.entry_name, closed, "c")))
    assert.is_false((pcall(core.entry_name, secret)))
  end)

  it("leaves nothing behind", function()
    local sealed = core.seal(secret, CONTEXT, ("x"):rep(LONGEST))
    local function round()
      for _ = 1, 50 do
        core.unseal(secret, CONTEXT, core.seal(secret, CONTEXT, ("y"):rep(1000)))
        core.unseal(secret, "another", sealed)
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    round()
    local before = round()
    assert.is_true(round() < before + 16)
  end)
end)
