{{ config(materialized='incremental', unique_key='snapshot_key', on_schema_change='append_new_columns') }}
{# Looker has one number of views, since the beginning: how it grew is seen from these. #}
select
    {{ tap_looker.text('current_date') }} || '|' || content_key as snapshot_key,
    current_date as snapshot_on,
    content_type,
    content_id,
    view_count,
    favorite_count,
    last_viewed_at,
    last_accessed_at,
    is_deleted
from {{ ref('int_looker__content') }}
