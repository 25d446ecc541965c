import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { metricsQuery, statusQuery } from "../api/queries";
import { PoliciesSection } from "../policies/section";
import { text } from "../text";
import { SelectField } from "../ui/field";
import { Page, PageTitle, Section, Skeleton } from "../ui/layout";
import { QueryFailure } from "../ui/notice";
import { HistorySection } from "./history-section";
import { LiveModelLookup } from "./live-model-lookup";
import { StatusSection } from "./status-section";
import { DEFAULT_RANGE, TIME_RANGES } from "./time-ranges";
import { TrafficCharts } from "./traffic-charts";

const words = text.operations;
const REFRESH_MS = 5000;

export function OperationsPage() {
  const [minutes, setMinutes] = useState(DEFAULT_RANGE);
  const metrics = useQuery({
    ...metricsQuery(minutes),
    refetchInterval: REFRESH_MS,
    placeholderData: (before) => before,
  });
  const status = useQuery(statusQuery());
  // Nothing is shown before both have arrived; otherwise the sections below would move.
  if (metrics.isPending || status.isPending) {
    return (
      <Page>
        <PageTitle lead={words.lead}>{words.title}</PageTitle>
        <Skeleton className="h-screen w-full" />
      </Page>
    );
  }
  return (
    <Page>
      <PageTitle lead={words.lead}>{words.title}</PageTitle>
      <StatusSection />
      <Section
        title={words.charts.title}
        actions={
          <SelectField
            label={words.range}
            hideLabel
            className="w-40"
            value={minutes}
            onChange={(event) => setMinutes(Number(event.target.value))}
          >
            {TIME_RANGES.map((range) => (
              <option key={range} value={range}>
                {words.lastMinutes(range)}
              </option>
            ))}
          </SelectField>
        }
      >
        {metrics.error && <QueryFailure error={metrics.error} onRetry={() => void metrics.refetch()} />}
        {metrics.data && <TrafficCharts metrics={metrics.data} />}
      </Section>
      <PoliciesSection />
      <LiveModelLookup />
      <HistorySection />
    </Page>
  );
}
