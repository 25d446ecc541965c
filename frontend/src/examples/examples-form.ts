import type { NamedFile } from "../browser/named-files";

const MANIFEST = /\.(csv|json)$/i;
const PREFERRED = /(^|\/)examples\.(csv|json)$/i;

/**
 * Returns the examples file and the clips that it names. Files of the folder that it does not name are left out.
 * Returns undefined when there is no examples file, or when any of several could be it.
 */
export async function chooseExamples(files: readonly NamedFile[]): Promise<NamedFile[] | undefined> {
  const manifests = files.filter(({ path }) => MANIFEST.test(path));
  const preferred = manifests.filter(({ path }) => PREFERRED.test(path));
  const [manifest, other] = preferred.length > 0 ? preferred : manifests;
  if (!manifest || other) return undefined;
  const text = await manifest.file.text();
  const isNamed = ({ path }: NamedFile) => text.includes(path.slice(path.lastIndexOf("/") + 1));
  return [manifest, ...files.filter((each) => !MANIFEST.test(each.path) && isNamed(each))];
}

/** Returns the form that the server takes: the files under their paths. */
export function makeExamplesForm(files: readonly NamedFile[]): FormData {
  const form = new FormData();
  for (const { file, path } of files) form.append(MANIFEST.test(path) ? "examples" : "clips", file, path);
  return form;
}
