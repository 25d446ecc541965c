import { useQuery } from "@tanstack/react-query";
import { useRollback } from "../api/mutations";
import { toProblem } from "../api/problem";
import { rollbackTargetQuery } from "../api/queries";
import { text } from "../text";
import { Button } from "../ui/button";
import { ProblemNotice } from "../ui/notice";

const words = text.models.live;

/** Rolls back to the model that it names. The notice of the rollback offers to undo it. */
export function RollBackButton() {
  const target = useQuery(rollbackTargetQuery()).data;
  const rollback = useRollback();
  if (!target) return null;
  const name = words.rollBack(target.model.model_name);
  return (
    <>
      <Button
        action="activate"
        onClick={() => rollback.mutate(undefined)}
        disabled={rollback.isPending}
        title={`${name}. ${words.rollBackExplain}`}
        className="max-w-72"
      >
        <span className="truncate">{name}</span>
      </Button>
      {rollback.error && (
        <div className="w-full">
          <ProblemNotice problem={toProblem(rollback.error)} />
        </div>
      )}
    </>
  );
}
