--- How much of everything: for a run whose figures count, and for one that only sees that it works.

return {
  real = {
    rounds = 7,
    processes = {7, 2},      -- in a round, at most and at least
    seconds = 0.6,           -- of warm exchanges in a round
    duel_rounds = 151,       -- of processes of two peers alone: where a few percent count
    warm_duel = {turns = 50, exchanges = 100,    -- the target is of 5,000 of them
      seconds = 2.2, least = 7},
    warm_duel_rounds = {lua54 = 25, luajit = 15, token = 13, form = 9},
    patience = 8,            -- seconds that a peer's memory may take
    clients_patience = 60,   -- seconds that a peer may take to make a number of clients
    counted = {200, 700},    -- exchanges whose difference is counted by callgrind
    counted_rounds = 3,
    early = 50,
    calls = 1000000,         -- that find a token
    clients_kept = 500,
    clients = {{count = 1, parallel = 1, rounds = 7}, {count = 10, parallel = 1, rounds = 7},
      {count = 1000, parallel = 32, rounds = 7}, {count = 100000, parallel = 32, rounds = 1}},
    callers = 1000,
    requests = 10000,        -- whose memory is measured
    large = 1024,            -- MiB of an answer into a file
    documents = 200,         -- of JSON, written and read
    many_rounds = 51,
    load_seconds = 1,        -- the gateway: many short turns, for a ratio close to 1
    load_rounds = 40,
    more_load_rounds = 7,
    neighbour_rounds = 9,
    landing = 2,             -- seconds until all fetches have ended
    cold_requests = 15,
    fleet = {processes = 50, gateways = 4, lifetimes = 20},
  },
  smoke = {
    rounds = 1, processes = {1, 1}, exchanges = 5, duel_rounds = 1,
    warm_duel = {turns = 2, exchanges = 5, seconds = 60, least = 1},
    warm_duel_rounds = {lua54 = 2, luajit = 1, token = 1, form = 1},
    counted = {2, 4}, counted_rounds = 1, early = 2, patience = 25, clients_patience = 25,
    calls = 1000, clients_kept = 2, clients = {{count = 3, parallel = 2, rounds = 1}}, callers = 10,
    requests = 5, large = 2,
    documents = 10,
    many_rounds = 1, load_seconds = 1, load_rounds = 1, more_load_rounds = 1,
    neighbour_rounds = 1, landing = 0.2, cold_requests = 2,
    fleet = {processes = 4, gateways = 1, lifetimes = 2},
  },
}
