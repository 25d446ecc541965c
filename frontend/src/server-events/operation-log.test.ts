import { expect, test } from "vitest";
import { makeOperation } from "../test/fixtures";
import { OperationLog } from "./operation-log";

test("an answer that was overtaken by an event does not turn the operation back", () => {
  const log = new OperationLog();
  log.put(makeOperation({ step: "warm_up", updated_at: "2026-11-01T10:00:02Z" }));
  log.put(makeOperation({ step: "verify", updated_at: "2026-11-01T10:00:00Z" }));
  expect(log.all[0]?.step).toBe("warm_up");
  log.put(makeOperation({ step: "swap", state: "succeeded", updated_at: "2026-11-01T10:00:03Z" }));
  log.put(makeOperation({ step: "swap", updated_at: "2026-11-01T10:00:04Z" }));
  expect(log.all[0]?.state).toBe("succeeded");
});

test("a dismissed operation stays away", () => {
  const log = new OperationLog();
  log.put(makeOperation({ state: "failed" }));
  log.dismiss("op1");
  log.put(makeOperation({ state: "failed" }));
  expect(log.all).toHaveLength(0);
});
