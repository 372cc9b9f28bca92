-- A certificate's date, as both TLS libraries write it.

local calendar = require "corebank.auth.cli.calendar"

describe("a certificate's date", function()
  it("is read as OpenSSL and as libcurl for GnuTLS write it", function()
    assert.equal(4070908800, calendar.epoch("Jan  1 00:00:00 2099 GMT"))
    assert.equal(4070908800, calendar.epoch("2099-01-01 00:00:00 GMT"))
    assert.equal(1709210096, calendar.epoch("Feb 29 12:34:56 2024 GMT"))
    assert.equal(951782400, calendar.epoch(" 2000-02-29 00:00:00 GMT"))
    assert.is_nil(calendar.epoch("soon"))
    assert.is_nil(calendar.epoch(""))
  end)

  it("has its day, which os.date need not know", function()
    assert.equal("2099-01-01", select(2, calendar.epoch "Jan  1 00:00:00 2099 GMT"))
    assert.equal("2024-02-29", select(2, calendar.epoch "2024-02-29 23:59:59 GMT"))
  end)
end)
