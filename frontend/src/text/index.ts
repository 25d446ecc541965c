import { access } from "./access";
import { common, problem, shell, states } from "./common";
import { examples } from "./examples";
import { manual } from "./manual";
import { microphone } from "./microphone";
import { modelDetail } from "./model-detail";
import { models } from "./models";
import { operations } from "./operations";
import { account, people } from "./people";
import { policies } from "./policies";
import { tryIt } from "./try";

/** All text that the page shows. */
export const text = {
  access,
  account,
  common,
  problem,
  shell,
  states,
  models,
  modelDetail,
  examples,
  tryIt,
  microphone,
  operations,
  people,
  policies,
  manual,
};
