import { expect, test } from "vitest";
import { anOperation } from "../test/fixtures";
import { OperationLog } from "./operation-log";

test("an answer that was overtaken by an event does not turn the operation back", () => {
  const log = new OperationLog();
  log.put(anOperation({ step: "warm_up", updated_at: "2026-11-01T10:00:02Z" }));
  log.put(anOperation({ step: "verify", updated_at: "2026-11-01T10:00:00Z" }));
  expect(log.all[0]?.step).toBe("warm_up");
  log.put(anOperation({ step: "swap", state: "succeeded", updated_at: "2026-11-01T10:00:03Z" }));
  log.put(anOperation({ step: "swap", updated_at: "2026-11-01T10:00:04Z" }));
  expect(log.all[0]?.state).toBe("succeeded");
});

test("a dismissed operation stays away", () => {
  const log = new OperationLog();
  log.put(anOperation({ state: "failed" }));
  log.dismiss("op1");
  log.put(anOperation({ state: "failed" }));
  expect(log.all).toHaveLength(0);
});
