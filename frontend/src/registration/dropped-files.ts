import type { NamedFile } from "../browser/named-files";
import { chooseExamples } from "../examples/examples-form";
import { isLabelFile, parseJson, parseLabelFile } from "./label-files";

export const MODEL_SUFFIXES = [".keras", ".h5", ".hdf5", ".tflite", ".onnx"];
const SPEC = /\.spec\.json$/i;

/** A spec as its file holds it. The server checks it. */
export type SpecDocument = Record<string, unknown>;

/** What belongs to one model among the files that were dropped. */
export interface ModelFiles {
  model: File;
  spec?: { name: string; document: SpecDocument };
  labels?: { name: string; labels: string[] };
  examples?: NamedFile[];
  accuracy?: number;
  /** Names of files that belong to none of these; they are not used. */
  unused: string[];
}

/** Why files cannot be registered: the key of a text, and the file that it names. */
export interface FilesProblem {
  problem: "specAlone" | "noModel" | "severalModels" | "severalSpecs" | "specUnreadable" | "labelsUnreadable";
  name: string;
}

const isModel = ({ path }: NamedFile) => MODEL_SUFFIXES.some((suffix) => path.toLowerCase().endsWith(suffix));
const getName = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const getStem = (path: string) => getName(path).replace(/(\.spec\.json|\.[a-z0-9]+)$/i, "");

/** Sorts files into the one model to register and what belongs to it. */
export async function sortModelFiles(files: readonly NamedFile[]): Promise<ModelFiles | FilesProblem> {
  const [model, second] = files.filter(isModel);
  const specs = files.filter(({ path }) => SPEC.test(path));
  if (!model) return { problem: specs.length > 0 ? "specAlone" : "noModel", name: getName(files[0]?.path ?? "") };
  if (second) return { problem: "severalModels", name: getName(second.path) };
  const spec = specs.length > 1 ? specs.find(({ path }) => getStem(path) === getStem(model.path)) : specs[0];
  if (specs.length > 1 && !spec) return { problem: "severalSpecs", name: getName(specs[0]?.path ?? "") };
  const document = spec && (await readSpec(spec));
  if (spec && !document) return { problem: "specUnreadable", name: getName(spec.path) };
  const labelFile = files.find(({ path }) => isLabelFile(path));
  const labels = labelFile && parseLabelFile(labelFile.path, await labelFile.file.text());
  if (labelFile && !labels) return { problem: "labelsUnreadable", name: getName(labelFile.path) };
  const rest = files.filter((file) => ![model, labelFile, ...specs].includes(file));
  const report = await findReport(rest);
  const examples = await chooseExamples(rest.filter((file) => file !== report?.file));
  const used = new Set<NamedFile | undefined>([model, spec, labelFile, report?.file, ...(examples ?? [])]);
  return {
    model: model.file,
    ...(spec && document && { spec: { name: getName(spec.path), document } }),
    ...(labelFile && labels && { labels: { name: getName(labelFile.path), labels } }),
    ...(examples && { examples }),
    ...(report && { accuracy: report.accuracy }),
    unused: files.filter((file) => !used.has(file)).map(({ path }) => path),
  };
}

async function readSpec({ file }: NamedFile): Promise<SpecDocument | undefined> {
  const document = parseJson(await file.text());
  return typeof document === "object" && document !== null && !Array.isArray(document)
    ? (document as SpecDocument)
    : undefined;
}

/** Finds the document that a training printed as JSON, and the accuracy it measured. */
async function findReport(files: readonly NamedFile[]): Promise<{ file: NamedFile; accuracy: number } | undefined> {
  for (const file of files.filter(({ path }) => /\.json$/i.test(path))) {
    const document = parseJson(await file.file.text()) as { accuracy?: unknown; evaluation?: { accuracy?: unknown } };
    const accuracy = document?.evaluation?.accuracy ?? document?.accuracy;
    if (typeof accuracy === "number" && accuracy >= 0 && accuracy <= 1) return { file, accuracy };
  }
  return undefined;
}

/** Returns the next name to try for a file or a model whose name is taken: head.onnx, head-2.onnx, head-3.onnx. */
export function suggestOtherName(name: string): string {
  const [, stem = name, number, suffix = ""] = /^(.*?)(?:-(\d+))?(\.[a-z0-9]+)?$/i.exec(name) ?? [];
  return `${stem}-${number ? Number(number) + 1 : 2}${suffix}`;
}
