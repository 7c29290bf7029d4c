-- Grade-adjusted pace is that of moving, by both models of grade.

alter table run_metrics add column gap_minetti_s_per_km double;
comment on column run_metrics.gap_s_per_km is 'Grade-adjusted pace by equal heart rate, the default: what moving would have been on the flat, standing left out, seconds per kilometre.';
comment on column run_metrics.gap_minetti_s_per_km is 'Grade-adjusted pace by equal energy (Minetti 2002), standing left out, seconds per kilometre.';
comment on column activities.gap_s_per_km is 'Grade-adjusted pace by equal heart rate: what moving would have been on the flat, standing left out, seconds per kilometre.';
