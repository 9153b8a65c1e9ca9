import { type ReactNode, useState } from "react";
import { texts } from "@/language/language";
import { Segmented } from "../shared/Segmented";
import styles from "./Charts.module.css";
import { LatencyBlock } from "./LatencyBlock";
import { MemoryChart } from "./Memory";
import { StagesBlock } from "./StagesBlock";

const CHARTS = ["memory", "time", "stages"] as const;
type ChartName = (typeof CHARTS)[number];

const SHOWN: Readonly<Record<ChartName, ReactNode>> = {
  memory: <MemoryChart />,
  time: <LatencyBlock />,
  stages: <StagesBlock />,
};

/** All charts where the window has room for them; in a lower one the chosen chart. */
export function ChartTabs() {
  const [chosen, choose] = useState<ChartName>("memory");
  return (
    <div>
      <div className={styles.tabs}>
        <Segmented
          label={texts.charts.chart}
          value={chosen}
          choices={CHARTS.map((value) => ({ value, label: texts.charts.tabs[value] }))}
          onChange={choose}
        />
      </div>
      {CHARTS.map((name) => (
        <div key={name} className={styles.tab} data-chosen={name === chosen}>
          {SHOWN[name]}
        </div>
      ))}
    </div>
  );
}
