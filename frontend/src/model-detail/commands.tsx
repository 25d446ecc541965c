import { serverAddress } from "../api/mount";
import type { Model } from "../api/types";
import { text } from "../text";
import { Command } from "../ui/copy-button";
import { Section } from "../ui/layout";

const words = text.modelDetail.commands;

interface CommandPair {
  label: string;
  cli: string;
  curl: string;
}

/** Returns the command line and the request for each action of the page on a model. */
export function buildCommands(model: Model, origin: string): CommandPair[] {
  const address = `${origin}/api/v1/models/${model.model_id}`;
  return [
    { label: words.show, cli: `understudy show ${model.model_id}`, curl: `curl ${address}` },
    {
      label: words.activate,
      cli: `understudy activate ${model.model_id}`,
      curl: `curl -X POST ${address}/activate`,
    },
    {
      label: words.predict,
      cli: `understudy predict clip.wav --model ${model.model_id}`,
      curl: `curl -F audio_file=@clip.wav "${origin}/api/v1/predict?model_id=${model.model_id}"`,
    },
    {
      label: words.change,
      cli: `understudy update ${model.model_id} --accuracy ${model.accuracy ?? 0.95}`,
      curl: `curl -X PUT ${address} -H "Content-Type: application/json" -d '{"accuracy": ${model.accuracy ?? 0.95}}'`,
    },
    {
      label: words.name,
      cli: `understudy update ${model.model_id} --labels models/labels.txt`,
      curl: `curl -X PATCH ${address} -H "Content-Type: application/json" -d '{"spec": {"labels": ["first", "second"]}}'`,
    },
  ];
}

export function Commands({ model }: { model: Model }) {
  return (
    <Section title={words.title}>
      <div className="space-y-6">
        {buildCommands(model, serverAddress).map((line) => (
          <div key={line.label}>
            <h3 className="mb-2 font-medium text-sm">{line.label}</h3>
            <div className="grid gap-3 lg:grid-cols-2 [&>*]:min-w-0">
              <Command label={words.cli} value={line.cli} />
              <Command label={words.curl} value={line.curl} />
            </div>
          </div>
        ))}
      </div>
    </Section>
  );
}
