"""What a Python peer can be asked to do, and how it times itself.

run(exchange, **more): exchange() gets a token and raises when it cannot. `more` has what only some
peers know: kept=f and cold=f, each a function to call; client=f, which makes one with its token and
returns the function to call; get=f, a request with a kept token: the mode get-warm is warm with that.
"""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor


def kib(name):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1])


def warm(exchange, count):
    exchange()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        exchange()
    print("%.9f %.9f" % (time.perf_counter() - wall, time.process_time() - cpu))


def memory(exchange, count, early):
    peak_early = 0
    for i in range(count):
        exchange()
        if i + 1 == early:
            peak_early = kib("VmHWM")
    print(peak_early, kib("VmHWM"))


def kept(call, count):
    call()
    began = time.perf_counter()
    for _ in range(count):
        pass
    empty = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(count):
        call()
    print("%.3f" % ((time.perf_counter() - began - empty) / count * 1e9))


def cold(call, count):
    """The time until the last of many callers at once has its token."""
    gate, failures = threading.Barrier(count + 1), []

    def caller():
        gate.wait()
        try:
            call()
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=caller) for _ in range(count)]
    for thread in threads:
        thread.start()
    wall, cpu = time.perf_counter(), time.process_time()
    gate.wait()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    print("%.9f %.9f" % (time.perf_counter() - wall, time.process_time() - cpu))


def clients(client, count, calls, parallel):
    began = time.perf_counter()
    if parallel == 1:
        made = [client() for _ in range(count)]
    else:
        with ThreadPoolExecutor(parallel) as pool:
            made = list(pool.map(lambda _: client(), range(count)))
    fetched = (time.perf_counter() - began) / count
    size = kib("VmRSS")
    turns = max(1, calls // count)
    began = time.perf_counter()
    for _ in range(turns):
        for call in made:
            call()
    took = (time.perf_counter() - began) / (turns * count)
    print("%d %.4f %.2f" % (size, fetched * 1e3, took * 1e9))


def asked():
    return sys.argv[1], [int(word) for word in sys.argv[2:]]


def callers():
    """How many ask at once in the mode that is asked for."""
    mode, numbers = asked()
    return {"cold": numbers[:1], "clients": numbers[2:]}.get(mode, [1])[0]


def run(exchange, **more):
    mode, numbers = asked()
    if mode.startswith("get-"):
        mode, exchange = mode[4:], more["get"]
    if mode == "once":
        print(exchange())
    elif mode == "warm":
        warm(exchange, *numbers)
    elif mode == "memory":
        memory(exchange, *numbers)
    elif mode == "kept":
        kept(more["kept"](), numbers[0])
    elif mode == "cold":
        cold(more["cold"](), numbers[0])
    elif mode == "clients":
        clients(more["client"], *numbers)
