/** A file and its path below what was dropped or chosen, with forward slashes. */
export interface NamedFile {
  file: File;
  path: string;
}

/** Returns the files of an input; with `webkitdirectory` they have paths. */
export function readInput(files: Iterable<File>): NamedFile[] {
  return Array.from(files, (file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** Returns the files that were dropped, those in dropped folders included. */
export async function readDrop(transfer: DataTransfer): Promise<NamedFile[]> {
  // The items are gone after the first await.
  const entries = Array.from(transfer.items ?? [], (item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return readInput(transfer.files);
  const found = await Promise.all(entries.map((entry) => (entry ? readEntry(entry) : [])));
  return found.flat();
}

async function readEntry(entry: FileSystemEntry): Promise<NamedFile[]> {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, path }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: NamedFile[] = [];
  // A reader returns the entries of a large folder in several parts.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return found;
    for (const each of part) found.push(...(await readEntry(each)));
  }
}
