import { formatCount } from "../format/numbers";
import { text } from "../text";
import { Fact, Facts } from "../ui/layout";
import type { ModelFiles, SpecDocument } from "./dropped-files";

const words = text.models.register.preview;
const MOST_LABELS = 12;

/** Shows what the files say about labels and front end, before the model is registered. */
export function SpecPreview({ files }: { files: ModelFiles }) {
  const labels = getLabels(files);
  const { spec, examples, unused } = files;
  return (
    <section aria-label={words.title} className="rounded-lg bg-sunken px-4 py-3 text-sm">
      <Facts className="sm:grid-cols-2">
        <Fact name={words.labels}>
          {labels ? (
            <span className="min-w-0 break-words">
              {words.count(formatCount(labels.length))}: {labels.slice(0, MOST_LABELS).join(", ")}
              {labels.length > MOST_LABELS && ", …"}
            </span>
          ) : (
            words.fromFile
          )}
        </Fact>
        <Fact name={words.frontEnd}>{spec ? describeFrontEnd(spec.document) : words.fromFile}</Fact>
        {spec && <Fact name={words.spec}>{spec.name}</Fact>}
        {examples && <Fact name={text.examples.title}>{text.examples.chosen(examples.length - 1)}</Fact>}
      </Facts>
      {unused.length > 0 && <p className="mt-2 break-words text-ink-2">{words.unused(unused.join(", "))}</p>}
    </section>
  );
}

/** Returns the labels that the files give: those of the label file, else those of the spec. */
export function getLabels({ labels, spec }: ModelFiles): string[] | undefined {
  const held = labels?.labels ?? spec?.document.labels;
  return Array.isArray(held) ? held.map(String) : undefined;
}

/** Describes a spec's way from the recording to the model in one line. */
export function describeFrontEnd(spec: SpecDocument): string {
  const parts = Array.isArray(spec.front_end) ? spec.front_end : [];
  const kinds = parts.map((part) => String((part as { kind?: unknown } | null)?.kind ?? "?"));
  const input = typeof spec.input === "string" ? spec.input : undefined;
  const inputs: Record<string, string> = text.modelDetail.inputs;
  const said = [
    typeof spec.preset === "string" ? words.preset(spec.preset) : undefined,
    kinds.length > 0 ? kinds.join(" + ") : input && (inputs[input] ?? input),
    typeof spec.sample_rate === "number" ? `${formatCount(spec.sample_rate)} Hz` : undefined,
    typeof spec.window_seconds === "number" ? words.window(spec.window_seconds) : undefined,
  ];
  return said.filter((each) => each !== undefined).join(", ") || words.fromFile;
}
