import { useState } from "react";
import type { NamedFile } from "../browser/named-files";
import { text } from "../text";
import { DropZone } from "../ui/drop-zone";
import { WarningNotice } from "../ui/notice";
import { chooseExamples } from "./examples-form";

const words = text.examples;

interface Props {
  title: string;
  onExamples: (files: NamedFile[]) => void;
}

/** Takes a folder, or several files: the clips and the file that says what is expected of them. */
export function ExamplesDrop({ title, onExamples }: Props) {
  const [refused, setRefused] = useState(false);
  const take = async (files: NamedFile[]) => {
    const examples = await chooseExamples(files);
    setRefused(examples === undefined);
    if (examples) onExamples(examples);
  };
  return (
    <div className="space-y-3">
      <DropZone multiple title={title} hint={words.hint} choose={words.choose} onFiles={(files) => void take(files)} />
      {refused && <WarningNotice>{words.noManifest}</WarningNotice>}
    </div>
  );
}
