{#
  A stream's rows, one per key, with the columns that models use, whatever was loaded: the columns
  that are missing are null, and a stream that is missing has no rows.

  stream: its name. keys: its primary key. columns: kind by column: text, integer, number, boolean,
  time or date.
#}
{% macro stage(stream, keys, columns) %}
{%- set relation = builtins.source('looker', stream) -%}
{%- set files = tap_looker.files_of(stream) -%}
{%- set found = [] -%}
{%- if execute and var('looker_files', none) -%}
    {%- set found = ((columns.keys() | list) + ['looker_instance', '_sdc_deleted_at']) if files else [] -%}
{%- elif execute -%}
    {%- set relation = adapter.get_relation(relation.database, relation.schema, relation.identifier) -%}
    {%- if relation is not none -%}
        {%- set found = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- endif -%}
{%- endif -%}
{%- set actual = {} -%}
{%- for name in found -%}{%- do actual.update({name | lower: name}) -%}{%- endfor -%}
{%- set newest = [] -%}
{%- if files -%}{%- do newest.append('_position') -%}{%- endif -%}
{%- for name in ['_sdc_received_at', '_sdc_batched_at', '_sdc_extracted_at'] -%}
    {%- if name in actual and not newest -%}{%- do newest.append(adapter.quote(actual[name])) -%}{%- endif -%}
{%- endfor -%}
with loaded as (
    select
    {%- for name, kind in columns.items() %}
        {%- if name in actual %}
        {%- set column = adapter.quote(actual[name]) %}
        {%- if kind == 'text' %}
        cast({{ column }} as {{ dbt.type_string() }})
        {%- elif kind in ('time', 'date') and files %}
        cast(nullif({{ column }}, '') as {{ tap_looker.type_of(kind) }})
        {%- else %}
        cast({{ column }} as {{ tap_looker.type_of(kind) }})
        {%- endif %}
        {%- else %}
        cast(null as {{ tap_looker.type_of(kind) }})
        {%- endif %} as {{ 'from_view' if name == 'from' else name }}{{ ',' if not loop.last or newest }}
    {%- endfor %}
    {%- if newest %}
        row_number() over (
            partition by {% for key in keys %}{{ adapter.quote(actual[key]) if key in actual else "''" }}{{ ', ' if not loop.last }}{% endfor %}
            {%- if 'looker_instance' in actual %}, {{ adapter.quote(actual['looker_instance']) }}{% endif %}
            order by {{ newest[0] }} desc
        ) as _recency
    {%- endif %}
    {%- if files %}
    from (
        select *, row_number() over () as _position
        from read_json(
            [{% for file in files %}'{{ file | replace("'", "''") }}'{{ ', ' if not loop.last }}{% endfor %}],
            format = 'newline_delimited',
            columns = {{ '{' }}{% for name in columns %}"{{ name }}": 'VARCHAR', {% endfor %}"looker_instance": 'VARCHAR', "_sdc_deleted_at": 'VARCHAR'{{ '}' }}
        )
    ) as rows_in_files
    {%- elif actual %}
    from {{ relation }}
    {%- else %}
    from (select 1 as nothing) as no_rows
    {%- endif %}
    {%- if not actual %}
    where 1 = 0
    {%- else %}
    where 1 = 1
        {%- if '_sdc_deleted_at' in actual %}
        and {{ adapter.quote(actual['_sdc_deleted_at']) }} is null
        {%- endif %}
        {%- if var('looker_instance', none) and 'looker_instance' in actual %}
        and {{ adapter.quote(actual['looker_instance']) }} = {{ tap_looker.literal(var('looker_instance')) }}
        {%- endif %}
    {%- endif %}
)

select
    {%- for name in columns %}
    {{ 'from_view' if name == 'from' else name }}{{ ',' if not loop.last }}
    {%- endfor %}
from loaded
{%- if newest %}
where _recency = 1
{%- endif %}
{% endmacro %}


{# The files of a stream, as target-jsonl names them: with the time of the run, or without. #}
{% macro files_of(stream) %}
{%- set folder = var('looker_files', none) -%}
{%- if not folder or not execute -%}{{ return([]) }}{%- endif -%}
{%- if target.type != 'duckdb' -%}
    {{ exceptions.raise_compiler_error("looker_files needs DuckDB: on " ~ target.type ~ ", load into a schema, and set looker_schema.") }}
{%- endif -%}
{%- set start = (folder | replace("'", "''")).rstrip('/') ~ '/' ~ stream -%}
{%- set names = run_query(
    "select file from (select file from glob('" ~ start ~ ".jsonl') union all select file from glob('"
    ~ start ~ "-[0-9]*.jsonl')) order by file") -%}
{{ return(names.columns[0].values() | list) }}
{% endmacro %}


{# The type of a kind of column. A `float` has only 4 bytes in DuckDB. #}
{% macro type_of(kind) %}
{%- set types = {
    'text': dbt.type_string(),
    'integer': dbt.type_bigint(),
    'number': 'double' if target.type == 'duckdb' else dbt.type_float(),
    'boolean': dbt.type_boolean(),
    'time': dbt.type_timestamp(),
    'date': 'date',
} -%}
{{ return(types[kind]) }}
{% endmacro %}
