-- More of load: Lucia's impulse where the thresholds are known, progression over two weeks, steps, and the usual cadence.

alter table run_metrics add column trimp_lucia double;
comment on column run_metrics.trimp_lucia is 'Lucia TRIMP: minutes below, between and above the ventilatory thresholds, weighted 1, 2 and 3; null without both thresholds.';
