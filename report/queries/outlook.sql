-- What an adjustment of the plan goes by, and where the course leads: knee, missed runs, strength, the race as a spike.
select * exclude (athlete)
from plan_outlook
where athlete = $athlete;
