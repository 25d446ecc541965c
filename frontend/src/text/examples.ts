interface StateText {
  line: string;
  explanation: string;
}

export const examples = {
  title: "Examples",
  drop: "Drop a folder with examples.csv and its clips here",
  replace: "Drop another folder to replace them",
  hint: "Clips, and what the author's own script answered for them.",
  choose: "Choose the files",
  noManifest: "Give exactly one file that says what is expected of the clips, best called examples.csv.",
  remove: "Remove the examples",
  chosen: (clips: number) => (clips === 1 ? "1 clip with its expected answer" : `${clips} clips with expected answers`),
  without: "Without these examples",
  differs: "differs",
  clips: "Clips of the examples",
  int8: (agreed: number, clips: number) => `The int8 variant: ${agreed} of ${clips} agree.`,
  columns: {
    clip: "Clip",
    expected: "Expected",
    served: "Served",
    difference: "Difference",
    allowed: "Allowed",
  },
  states: {
    not_proved: (): StateText => ({
      line: "Features not proved",
      explanation: "Nothing shows that recordings reach the model as they did in training.",
    }),
    pending: (text: string): StateText => ({
      line: text,
      explanation: "They are run after the model is compiled, at the latest when it is activated.",
    }),
    proved: (text: string): StateText => ({
      line: text,
      explanation: "The served answers are those of the author's own script.",
    }),
    missed: (text: string): StateText => ({
      line: text,
      explanation: "The model cannot go live while it answers otherwise. Correct its spec, or give other examples.",
    }),
  },
};
