"""Looker in Dagster: an asset for each group of streams, partitioned by instance and day.

A run reads all groups of an instance one after the other, and dagster.yaml lets each instance have
one run at a time. There is no state: what happened is read by the day, and nothing depends on the
run before.
"""

import os
from datetime import UTC, timedelta

import dagster as dg
import looker_unit

INSTANCES = os.environ["LOOKER_INSTANCES"].split(",")  # such as eu,us
FIRST_DAY = os.environ.get("LOOKER_FIRST_DAY", "2026-01-01")  # of System Activity to back-fill from

RETRY = dg.RetryPolicy(max_retries=2, delay=600)

days = dg.DailyPartitionsDefinition(FIRST_DAY)  # of UTC
partitions = dg.MultiPartitionsDefinition(
    {"instance": dg.StaticPartitionsDefinition(INSTANCES), "day": days}
)


def environment(instance: str) -> dict[str, str]:
    """Of a unit: for the instance eu, LOOKER_EU_CLIENT_ID becomes TAP_LOOKER_CLIENT_ID."""
    prefix = f"LOOKER_{instance.upper().replace('-', '_')}_"
    of_instance = {
        f"TAP_LOOKER_{name.removeprefix(prefix)}": value
        for name, value in os.environ.items()
        if name.startswith(prefix)
    }
    return {**os.environ, "TAP_LOOKER_INSTANCE": instance, **of_instance}


def asset_of(group: str) -> dg.AssetsDefinition:
    """The asset of a group of streams."""

    @dg.asset(
        key=["looker", group], partitions_def=partitions, output_required=False, retry_policy=RETRY
    )
    def load(context: dg.AssetExecutionContext):
        key = context.partition_key.keys_by_dimension
        window = None
        if group == "activity":
            period = days.time_window_for_partition_key(key["day"])
            window = (period.start.isoformat(), period.end.isoformat())
        elif key["day"] != days.get_last_partition_key():
            context.log.info("Looker says what there is now, not what there was: nothing to read.")
            return
        if code := looker_unit.run(group, window, environment(key["instance"])):
            raise dg.Failure(f"Exit code {code}: what went wrong is in stderr of this step.")
        yield dg.MaterializeResult()

    return load


assets = [asset_of(group) for group in looker_unit.GROUPS]
job = dg.define_asset_job("looker", assets, partitions_def=partitions)


@dg.schedule(job=job, cron_schedule="0 3 * * *")
def every_night(context: dg.ScheduleEvaluationContext):
    """The last day that is over, of each instance."""
    at = context.scheduled_execution_time.astimezone(UTC)
    day = (at - timedelta(days=1)).strftime("%Y-%m-%d")
    for instance in INSTANCES:
        key = dg.MultiPartitionKey({"day": day, "instance": instance})
        yield dg.RunRequest(run_key=f"{day} {instance}", partition_key=key)


defs = dg.Definitions(
    assets=assets,
    jobs=[job],
    schedules=[every_night],
    executor=dg.in_process_executor,  # one group after the other
)
