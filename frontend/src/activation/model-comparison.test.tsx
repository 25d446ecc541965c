import { render, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { makeModel, makeSpec } from "../test/fixtures";
import { ModelComparison } from "./model-comparison";

const present = makeModel({ is_active: true });
const next = makeModel({ model_id: 2, model_name: "Human v2", version: "v2", accuracy: null, file_bytes: null });

test("both models stand beside each other, unknown values as a dash", () => {
  render(
    <ModelComparison present={present} next={next} presentSpec={makeSpec(["dog"])} nextSpec={makeSpec(["dog"])} />,
  );
  const row = (name: string) => within(screen.getByRole("row", { name: new RegExp(`^${name}`) })).getAllByRole("cell");
  expect(row("Version").map((cell) => cell.textContent)).toEqual(["v1.0", "v2"]);
  expect(row("Accuracy").map((cell) => cell.textContent)).toEqual(["87.3%", "–"]);
  expect(row("Size").map((cell) => cell.textContent)).toEqual(["1.3 MB", "–"]);
  expect(screen.getByText("The same labels")).toBeVisible();
});

test("the first activation compares with nothing", () => {
  render(<ModelComparison present={null} next={next} presentSpec={undefined} nextSpec={makeSpec(["dog", "rain"])} />);
  expect(screen.getByRole("columnheader", { name: "Nothing" })).toBeVisible();
  expect(screen.getByText("2 labels are new: dog, rain.")).toBeVisible();
});

test("the labels of a model that is not compiled are unknown", () => {
  render(<ModelComparison present={present} next={next} presentSpec={makeSpec(["dog"])} nextSpec={undefined} />);
  expect(screen.getByText("The input and the labels are known after the model is compiled.")).toBeVisible();
});

test("of many labels the first twelve are named", () => {
  const many = Array.from({ length: 13 }, (_, index) => `l${index}`);
  render(<ModelComparison present={present} next={next} presentSpec={makeSpec(["dog"])} nextSpec={makeSpec(many)} />);
  expect(screen.getByText(/^13 labels are new: l0, .* l11, …\.$/)).toBeVisible();
});

test("labels that are lost are a warning", () => {
  const presentSpec = makeSpec(["dog", "siren"]);
  render(<ModelComparison present={present} next={next} presentSpec={presentSpec} nextSpec={makeSpec(["dog"])} />);
  expect(screen.getByRole("status")).toHaveTextContent("1 label is lost: siren.");
});

test("thresholds stand side by side, those that change first", () => {
  const presentSpec = { ...makeSpec(["dog", "rain"]), thresholds: { dog: 0.5, rain: 0.4 } };
  const nextSpec = { ...makeSpec(["dog", "rain"]), thresholds: { dog: 0.5, rain: 0.7 } };
  render(<ModelComparison present={present} next={next} presentSpec={presentSpec} nextSpec={nextSpec} />);
  const rows = within(screen.getByRole("table", { name: "Thresholds, now and afterwards" })).getAllByRole("row");
  expect(rows.map((row) => row.textContent)).toEqual(["rain0.400.70", "dog0.500.50"]);
});
