import { expect, test } from "vitest";
import { toSessionCsv, toSessionJson } from "./session-export";
import { EMPTY_SESSION } from "./session-state";

const crossing = {
  id: "dog 20",
  label: "dog",
  start: 20,
  end: 21.5,
  peak: 0.9,
  threshold: 0.6,
  model: "Starter",
  open: false,
  acknowledged: true,
};
const session = { ...EMPTY_SESSION, crossings: [crossing], gaps: [{ from: 4, to: 20 }] };

test("crossings and what was not heard are exported in order of time, in UTC", () => {
  expect(toSessionCsv(session).split("\r\n")).toEqual([
    "kind,start,end,seconds,label,peak,threshold,model,acknowledged",
    "not heard,1970-01-01T00:00:04.000Z,1970-01-01T00:00:20.000Z,16,,,,,",
    "crossing,1970-01-01T00:00:20.000Z,1970-01-01T00:00:21.500Z,1.5,dog,0.9,0.6,Starter,true",
  ]);
  expect(JSON.parse(toSessionJson(session))).toMatchObject([{ kind: "not heard" }, { kind: "crossing", peak: 0.9 }]);
});
