{# The measures of a day: what an incremental model has already, where Looker has begun to forget. #}
{% macro counted_or_kept(measures) %}
{%- for measure in measures %}
    {% if is_incremental() -%}
    greatest(counted.{{ measure }}, coalesce(kept.{{ measure }}, 0)) as {{ measure }}
    {%- else -%}
    counted.{{ measure }}
    {%- endif %}{{ ',' if not loop.last }}
{%- endfor %}
from counted
{%- if is_incremental() %}
left join {{ this }} as kept on kept.usage_key = counted.usage_key
{%- endif %}
{% endmacro %}


{# Counts of what ran: none is 0 where history was loaded, and not known where it was not. #}
{% macro counts_of(relation, counts) %}
{%- for count in counts %}
        case when evidence.history_to is not null
            then cast(coalesce({{ relation }}.{{ count }}, 0) as {{ dbt.type_bigint() }}) end
            as {{ count }}{{ ',' if not loop.last }}
{%- endfor %}
{%- endmacro %}


{# The period that a reason rests on, in words. #}
{% macro period(condition) %}
case when {{ condition }}
        then ' (history from ' || {{ tap_looker.text('history_from') }}
            || ' to ' || {{ tap_looker.text('history_to') }} || ')'
        else '' end
{%- endmacro %}


{# Why the history says too little, in words. #}
{% macro short_history(days) %}
case when {{ days }} < {{ var('looker_unused_after_days') | int }}
        then 'the history covers only ' || {{ tap_looker.counted(days, 'day') }}
        else 'only ' || {{ tap_looker.text('days_in_period') }} || ' of the last '
            || '{{ var('looker_unused_after_days') | int }} days of history have queries' end
{%- endmacro %}
