-- Moving time is that of a speed over half a minute; climb is that of the samples.

comment on column activities.moving_s is 'Seconds with the timer running and, over half a minute, a speed of at least 0.8 m/s.';
comment on column activities.ascent_m is 'Metres climbed: from the altitudes, smoothed, each climb of 3 m or more; the watch''s own where there are none.';
comment on column activities.descent_m is 'Metres descended, counted like ascent_m.';
