// Each chapter is a chunk of its own, which is loaded when it is opened.
const SOURCES = import.meta.glob<string>("../../../docs/*.md", { query: "?raw", import: "default" });

const toName = (path: string) => path.replace(/^.*\//, "").replace(/\.md$/, "");
const LOADERS = new Map(Object.entries(SOURCES).map(([path, load]) => [toName(path), load]));

/** The chapters in the order in which a newcomer needs them; the others follow by name. */
const FIRST = ["guide", "page", "install", "audio", "training", "examples", "settings", "troubleshooting"];

export const FIRST_CHAPTER = "guide";

export const listChapters = (): string[] => {
  const names = [...LOADERS.keys()].sort();
  return [...FIRST.filter((name) => LOADERS.has(name)), ...names.filter((name) => !FIRST.includes(name))];
};

export const hasChapter = (name: string): boolean => LOADERS.has(name);

/** Returns the Markdown of a chapter; undefined for one that does not exist. */
export const loadChapter = async (name: string): Promise<string | undefined> => LOADERS.get(name)?.();
