-- Alerts that look ahead or ask: a planned spike, a gap in strength work, a spike without a report.

comment on column alerts.side is 'The knee; null when no knee''s pain had a part in it.';
comment on column alerts.rule is 'spike_and_pain, load_spike, knee_pain, pain_rising, medical, planned_spike_ahead, strength_gap or not_reported.';
comment on column alerts.load_level is '0 none, 1 small, 2 moderate, 3 large; null when the history is too short to say. Of a planned spike: what the run would be.';
comment on column alerts.pain_level is 'P0 to P3, R for a red flag; null when pain was not reported. Of a gap in strength work: that of the worst report looked at.';
comment on column alerts.local_date is 'The athlete''s day whose events raised it; of a planned spike and of what is asked for, the first day on which that held.';
