{# Text that identifies a row by some of its columns, null or not. #}
{% macro key_of(columns) %}
{%- for column in columns -%}
coalesce(cast({{ column }} as {{ dbt.type_string() }}), ''){{ " || '|' || " if not loop.last }}
{%- endfor -%}
{% endmacro %}


{# A date so many days before another. #}
{% macro days_before(date, days) %}
cast({{ dbt.dateadd('day', -(days | int), date) }} as date)
{%- endmacro %}


{# A column as text. #}
{% macro text(expression) %}
cast({{ expression }} as {{ dbt.type_string() }})
{%- endmacro %}


{# A number and what it counts: 1 look, 2 looks. #}
{% macro counted(number, one, many=none) %}
{{ tap_looker.text(number) }}
            || case when {{ number }} = 1 then ' {{ one }}' else ' {{ many or one ~ 's' }}' end
{%- endmacro %}


{# Whether text holds other text. #}
{% macro holds(haystack, needle) %}
{{ dbt.position(needle, haystack) }} > 0
{%- endmacro %}


{# Text of a variable, as a literal. #}
{% macro literal(value) %}
{{ dbt.string_literal(dbt.escape_single_quotes(value | string)) }}
{%- endmacro %}


{# Values of a variable that is a list, as a list in SQL; one that nothing equals if there are none. #}
{% macro values_of(variable) %}
({% for value in var(variable, none) or ['?'] %}{{ tap_looker.literal((value | string | lower).lstrip('@')) }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}


{# The word that makes a union drop repeated rows, where it cannot be left out. #}
{% macro distinct() %}
{{ 'distinct' if target.type == 'bigquery' }}
{%- endmacro %}


{# A time before all times. #}
{% macro long_ago() %}
cast('1900-01-01' as {{ dbt.type_timestamp() }})
{%- endmacro %}
