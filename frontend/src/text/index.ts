import { common, problem, shell, states } from "./common";
import { live } from "./live";
import { model } from "./model";
import { models } from "./models";
import { operations } from "./operations";
import { tryIt } from "./try";

/** Every word that the page shows. */
export const text = { common, problem, shell, states, models, model, tryIt, live, operations };
