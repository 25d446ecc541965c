import { expect, test } from "vitest";
import { chooseExamples } from "../examples/examples-form";
import { readDrop } from "./named-files";

const file = (name: string, content = "") => new File([content], name);

function fakeFile(path: string): FileSystemEntry {
  const entry = {
    isFile: true,
    isDirectory: false,
    fullPath: path,
    file: (done: (file: File) => void) => done(file(path)),
  };
  return entry as unknown as FileSystemEntry;
}

function fakeFolder(path: string, parts: FileSystemEntry[][]): FileSystemEntry {
  const left = [...parts, []];
  const createReader = () => ({ readEntries: (done: (part: FileSystemEntry[]) => void) => done(left.shift() ?? []) });
  return { isFile: false, isDirectory: true, fullPath: path, createReader } as unknown as FileSystemEntry;
}

test("a dropped folder is read with everything below it, in several parts", async () => {
  const folder = fakeFolder("/drop", [
    [fakeFile("/drop/examples.csv")],
    [fakeFolder("/drop/sub", [[fakeFile("/drop/sub/a.wav")]])],
  ]);
  const transfer = { items: [{ webkitGetAsEntry: () => folder }], files: [] } as unknown as DataTransfer;
  const paths = (await readDrop(transfer)).map(({ path }) => path);
  expect(paths).toEqual(["drop/examples.csv", "drop/sub/a.wav"]);
});

test("files that are dropped alone have their name as path", async () => {
  const transfer = { files: [file("a.wav")] } as unknown as DataTransfer;
  expect((await readDrop(transfer)).map(({ path }) => path)).toEqual(["a.wav"]);
});

test("of several tables the one called examples.csv counts, and of others none", async () => {
  const named = (name: string, content = "") => ({ file: file(name, content), path: name });
  const clip = named("d/a.wav");
  const chosen = await chooseExamples([named("d/labels.csv"), named("d/examples.csv", "file\na.wav"), clip]);
  expect(chosen?.map(({ path }) => path)).toEqual(["d/examples.csv", "d/a.wav"]);
  expect(await chooseExamples([named("one.csv"), named("two.csv"), clip])).toBeUndefined();
  expect(await chooseExamples([clip])).toBeUndefined();
});
