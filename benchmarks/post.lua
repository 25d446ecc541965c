-- Posts one body over and over. From the environment:
--   BENCH_BODY, BENCH_TYPE  file with the body, its content type; BENCH_LENGTHS: Inference-Header-Content-Length
--   BENCH_RATE              requests a second over all connections of a thread, evenly spaced; unset: as fast as answers come
--   BENCH_TRACE             files to which each thread writes "began ended status generation" of every request, by
--                           CLOCK_MONOTONIC; only with one connection a thread
local ffi = require("ffi")
ffi.cdef[[
typedef struct { long seconds; long nanoseconds; } bench_time;
int clock_gettime(int clock, bench_time *time);
]]
local MONOTONIC = 1
local clock = ffi.new("bench_time")
local rate = tonumber(os.getenv("BENCH_RATE"))
local trace = os.getenv("BENCH_TRACE")
local threads = 0
local due, began, log

local function now()
  ffi.C.clock_gettime(MONOTONIC, clock)
  return tonumber(clock.seconds) + tonumber(clock.nanoseconds) / 1e9
end

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  wrk.headers["Content-Type"] = os.getenv("BENCH_TYPE")
  wrk.headers["Inference-Header-Content-Length"] = os.getenv("BENCH_LENGTHS")
  local formatted = wrk.format()
  if trace then
    log = assert(io.open(trace .. "." .. number, "w"))
    log:setvbuf("line")
    request = function()
      began = now()
      return formatted
    end
    response = function(status, headers, body)
      local generation = body:match('generation"?[^%d]*(%d+)') or "-"
      log:write(string.format("%.6f %.6f %d %s\n", began, now(), status, generation))
    end
  else
    request = function() return formatted end
  end
  if rate then
    delay = function()
      local present = now()
      due = math.max(due or present, present - 1) + 1 / rate
      return math.max(0, (due - present) * 1000)
    end
  end
end

function done(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "failures": %d, "timeouts": %d, "refused": %d, "p50": %.3f, "p90": %.3f, "p99": %.3f, "longest": %.3f}\n',
    summary.requests, summary.duration / 1e6, failed.connect + failed.read + failed.write, failed.timeout,
    failed.status, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3,
    latency.max / 1e3))
end
