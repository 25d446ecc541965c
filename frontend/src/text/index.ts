import { common, problem, shell, states } from "./common";
import { live } from "./microphone";
import { model } from "./model-detail";
import { models } from "./models";
import { operations } from "./operations";
import { tryIt } from "./try";

/** Every word that the page shows. */
export const text = { common, problem, shell, states, models, model, tryIt, live, operations };
