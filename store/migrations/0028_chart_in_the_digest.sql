-- The weekly digest as a mail has the chart of the weeks in it.

alter table digests add column chart_png blob;
comment on column digests.chart_png is 'The chart of the weeks as it goes out with mails, PNG; null where it went to no mail, or there was nothing to draw.';
