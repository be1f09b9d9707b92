# ruff: noqa: S608 - statements of these tests
"""Derived tables, generated SQL and physical tables: where the numbers of explores come from."""

from __future__ import annotations

import json
import sys
from collections import Counter

import pytest
from support import selecting

from looker_emulator import Emulator, Fault
from looker_emulator.instance.lookml.derived_tables import DERIVED
from tap_looker.resources import sql_tables
from tap_looker.resources.dot import DotError, edges

EDGES, SQL, TABLES = "derived_table_edges", "explore_sql", "explore_tables"


def arrows(text):
    return [(one.tail, one.head, one.attributes.get("style", "")) for one in edges(text)]


# ------------------------------------------------------------------------------- the DOT language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("digraph m {}", []),
        ("digraph m {\n}\n", []),
        (
            "digraph m { subgraph { <a> -> <b> } subgraph { <c> -> <s.t> [style=dashed] } }",
            [("a", "b", ""), ("c", "s.t", "dashed")],
        ),
        (
            'digraph g {\n"m/a" -> "m/b"\n"m/a" -> "s.t" [color=grey, style="dashed"];\n}',
            [("m/a", "m/b", ""), ("m/a", "s.t", "dashed")],
        ),
        (
            "strict digraph { // one\n a -> b -> c /* two\n */\n# three\n; {x y} -> z }",
            [("a", "b", ""), ("b", "c", ""), ("x", "z", ""), ("y", "z", "")],
        ),
        (
            "digraph { edge [style=dashed] a -> my-project.set.table; "
            'b [label=<<b>B</b>>, tooltip="a -> b"] rankdir=LR '
            'subgraph cluster_0 { label="C" c:n -> d:s } }',
            [("a", "my-project.set.table", "dashed"), ("c", "d", "dashed")],
        ),
        ("digraph { subgraph { edge [style=dashed]; a -> b } c -> d }",
         [("a", "b", "dashed"), ("c", "d", "")]),
        (r'digraph g { "m/a" -> "\"S\".\"T\"" }', [("m/a", '"S"."T"', "")]),
        ('digraph g { "m/" + "a" -> <`p.d.t`> }', [("m/a", "`p.d.t`", "")]),
    ],
)  # fmt: skip
def test_edges_of_any_graph_are_found(text, expected):
    assert arrows(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No derived tables",
        '{"graph_text": null}',
        "<html><body>Sign in</body></html>",
        "digraph m {",
        "digraph m { a ->",
        "digraph m { a -> }",
        "digraph m { <a -> <b> }",
        "digraph m { <a -> b }",
        'digraph m { "a" -> "b }',
        'digraph m { "m/a" -> ""S"."T"" }',
        "digraph m { a -> b } }",
        "digraph m " + "{" * 10_000,
    ],
)
def test_what_is_not_a_graph_is_not_an_empty_one(text):
    with pytest.raises(DotError):
        edges(text)


# -------------------------------------------------------------------------------- tables in SQL


def named(found):
    return [str(table) for table in found]


@pytest.mark.parametrize(
    ("text", "dialect", "expected"),
    [
        ("public.users", "postgres", ["public.users"]),
        ("prod_orders2 AS orders", "redshift", ["prod_orders2"]),
        ("`my-project.shop.orders`", "bigquery_standard_sql", ["my-project.shop.orders"]),
        ("my-project.shop.orders", "bigquery_standard_sql", ["my-project.shop.orders"]),
        ('"SHOP"."Orders"', "snowflake", ["SHOP.Orders"]),
        ("[dbo].[order lines]", "mssql_2017", ["dbo.order lines"]),
        ("`shop`.`orders`", "mysql_8", ["shop.orders"]),
        ("shop.orders", "a dialect of tomorrow", ["shop.orders"]),
        ("shop.orders", None, ["shop.orders"]),
        ("(SELECT * FROM a.b JOIN c ON true)", "postgres", ["a.b", "c"]),
    ],
)
def test_tables_are_read_in_the_dialect(text, dialect, expected):
    assert named(sql_tables.of_expression(text, dialect)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{% if x %}a.b{% else %}c.d{% endif %}",
        "{{ _user_attributes['schema'] }}.orders",
        "@{schema}.orders",
        "${facts.SQL_TABLE_NAME}",
        "a.b)",
        "",
    ],
)
def test_what_only_looker_can_tell_is_not_read(text):
    with pytest.raises(sql_tables.UnreadableSqlError):
        sql_tables.of_expression(text, "postgres")


def test_tables_of_generated_sql_belong_to_the_views_that_it_names():
    text = """-- a comment of Looker's
        WITH orders AS (SELECT * FROM orders AS o),
        facts AS (SELECT * FROM orders JOIN raw.events AS users ON true)
        SELECT users.id AS "users.id", (SELECT max(day) FROM shop.days) AS "x", '{{ a }}' AS "y"
        FROM public.users AS users
        LEFT JOIN orders ON true
        LEFT JOIN facts AS order_facts ON true
        LEFT JOIN (SELECT * FROM shop.buyers UNION ALL SELECT * FROM shop.guests) AS buyers ON true
        GROUP BY 1 LIMIT 1"""
    found = sql_tables.of_query(text, "postgres", ["users", "orders", "ORDER_FACTS", "buyers"])
    assert [(view, str(table)) for view, table in found] == [
        ("users", "public.users"),
        ("orders", "orders"),
        ("ORDER_FACTS", "orders"),
        ("ORDER_FACTS", "raw.events"),
        ("buyers", "shop.buyers"),
        ("buyers", "shop.guests"),
        ("days", "shop.days"),
    ]


def test_a_table_that_is_built_first_stands_for_what_it_is_built_from():
    text = """-- Building persistent derived table
        CREATE TABLE scratch.LR_1_facts AS (SELECT * FROM shop.orders);
        SELECT facts.id FROM scratch.LR_1_facts AS facts"""
    found = sql_tables.of_query(text, "snowflake", ["facts"])
    assert [(view, str(table)) for view, table in found] == [("facts", "shop.orders")]


def test_derived_tables_that_build_on_each_other_take_no_time():
    steps = [f"t{n} AS (SELECT * FROM t{n - 1} AS a JOIN t{n - 1} AS b ON true)"
             for n in range(1, 60)]  # fmt: skip
    text = f"WITH t0 AS (SELECT * FROM shop.orders), {', '.join(steps)} SELECT * FROM t59 AS facts"
    assert [
        str(table) for _, table in sql_tables.of_query(text, "postgres", ["facts"])
    ] == ["shop.orders"]  # fmt: skip


def test_sqlglot_knows_every_dialect():
    import sqlglot  # noqa: PLC0415

    assert all(sqlglot.Dialect.get(name) for name in sql_tables.DIALECTS.values())


# ----------------------------------------------------------------------------------- the streams


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    from support import Runner  # noqa: PLC0415

    with Emulator() as emulator:
        run = Runner(emulator, tmp_path_factory.mktemp("lineage"))
        yield run(catalog=selecting(EDGES, SQL, TABLES)).succeeded(), emulator


def of_models(instance):
    """What the derived tables of each model are made of."""
    for model in instance.lookml_models:
        waiting = [one["name"].partition("_")[0] for one in model["explores"]]
        for view in waiting:
            for kind, name in DERIVED.get(view, ()):
                yield model["name"], view, kind, name
                waiting += [name] if kind == "view" else []


def test_both_shapes_of_the_graph_become_the_same_rows(whole):
    run, emulator = whole
    found = [tuple(one.values()) for one in run.records[EDGES]]
    assert sorted(found) == sorted(set(of_models(emulator.instance)))
    assert {kind for _, _, kind, _ in found} == {"table", "view"}
    assert len({model for model, *_ in found}) > 1


def test_calls_are_one_for_each_model_and_explore(whole):
    _, emulator = whole
    models = emulator.instance.lookml_models
    explores = sum(len(model["explores"]) for model in models)
    assert emulator.count("/derived_table/graph/model/*") == len(models)
    assert emulator.count("/queries/run/sql") == explores
    assert emulator.count("/lookml_models/*/explores/*") == explores


def test_each_explore_has_its_sql(whole):
    run, emulator = whole
    names = {
        f"{model['name']}::{one['name']}"
        for model in emulator.instance.lookml_models
        for one in model["explores"]
    }
    assert set(run.ids(SQL)) == names
    assert all(one["has_all_views"] and "SELECT" in one["sql"] for one in run.records[SQL])
    assert not run.warnings


def test_tables_are_the_same_however_they_are_known(whole):
    run, _ = whole
    found = {}
    for one in run.records[TABLES]:
        key = one["explore_id"], one["view_name"]
        found.setdefault(key, {}).setdefault(one["source"], set()).add(one["table_name"])
    resolved = Counter()
    for ways in found.values():
        assert ways.keys() & {"generated_sql"}
        for source in ways.keys() - {"generated_sql"}:
            if not any("{" in name for name in ways[source]):
                assert ways[source] == ways["generated_sql"]
                resolved[source] += 1
    assert resolved.keys() == {"sql_table_name", "derived_table_graph"}


# ---------------------------------------------------------------------------- what goes wrong


def of_graph(emulator, model, text):
    body = {"graph_text": text} if isinstance(text, str) else text
    path = f"/derived_table/graph/model/{model}"
    emulator.add_fault(Fault("status", path, status=200, json=body, times=None))


@pytest.mark.parametrize(
    "body",
    [
        "nonsense",
        "digraph storefront { <a> -> <b>",
        {"graph_text": None},
        {"graph_text": ["digraph"]},
        {},
        [],
        {"message": "Model does not compile", "documentation_url": "https://x"},
    ],
)
def test_a_graph_that_cannot_be_read_is_skipped_and_counted(run, emulator, body):
    first, *_ = [model["name"] for model in emulator.instance.lookml_models]
    of_graph(emulator, first, body)
    result = run(catalog=selecting(EDGES)).succeeded()
    models = {one["model_name"] for one in result.records[EDGES]}
    assert models
    assert first not in models
    assert f"{EDGES}: 1 item(s) skipped, see the warnings above." in result.warnings
    path = f"/derived_table/graph/model/{first}"
    assert any(f"{EDGES}: one skipped: GET {path}: " in line for line in result.warnings)


def test_null_is_not_a_graph_without_edges(run, emulator):
    emulator.add_fault(Fault("wrong_shape", "/derived_table/*", shape="null", times=None))
    result = run(catalog=selecting(EDGES))
    assert result.exit_code == 1
    assert any("has no graph_text" in line for line in result.errors)


def test_if_no_graph_can_be_read_the_stream_has_failed(run, emulator):
    of_graph(emulator, "*", "nonsense")
    result = run(catalog=selecting(EDGES, "folders"))
    assert result.exit_code == 1
    (line,) = [line for line in result.errors if line.startswith(f"Failed {EDGES}: ")]
    assert "does not begin with digraph" in line
    assert result.records["folders"]


@pytest.mark.parametrize("body", ["", "  \n", "digraph storefront {}"])
def test_a_model_without_derived_tables_is_no_failure(run, emulator, body):
    of_graph(emulator, "*", body)
    result = run(catalog=selecting(EDGES)).succeeded()
    assert EDGES not in result.records
    assert not result.warnings


def test_who_may_not_develop_is_told(run, emulator):
    emulator.add_fault(Fault("denied", "/derived_table/*", times=None))
    result = run(catalog=selecting(EDGES))
    assert result.exit_code == 1
    assert any("develop" in line for line in result.errors)


def test_nodes_may_be_written_in_several_ways(run, emulator):
    first = emulator.instance.lookml_models[0]["name"]
    of_graph(
        emulator,
        first,
        f'digraph g {{ "{first}/a" -> "{first}/b"; "{first}/a" -> "orders" [style="dashed"];'
        f'"{first}/a" -> "{first}/orders"; "{first}/b" -> "plain"; "{first}/b" -> "other/c";'
        f'"{first}/a" -> "{first}/b"; <c> -> <shop.t>; <c> -> <d>; <c> -> <t> [style="bold,dashed"]'
        "}",
    )
    found = [
        tuple(one.values())[1:]
        for one in run(catalog=selecting(EDGES)).succeeded().records[EDGES]
        if one["model_name"] == first
    ]
    assert found == [
        ("a", "view", "b"),
        ("a", "table", "orders"),
        ("a", "view", "orders"),
        ("b", "table", "plain"),
        ("b", "view", "other/c"),
        ("c", "table", "shop.t"),
        ("c", "view", "d"),
        ("c", "table", "t"),
    ]


@pytest.mark.parametrize(
    "says",
    [
        [{"looker_error": "View Not Found"}],
        {"message": "Not compiled", "documentation_url": "https://x"},
        {"error": "View Not Found"},
        [],
        None,
        "",
        "Error: cannot select from it",
        "Nothing to show",
    ],
)
def test_an_error_in_the_place_of_sql_is_skipped_and_counted(run, emulator, says):
    emulator.add_fault(Fault("status", "/queries/run/sql", status=200, json=says))
    result = run(catalog=selecting(SQL), concurrency=1).succeeded()
    whole = run(catalog=selecting(SQL)).succeeded()
    assert len(result.records[SQL]) == len(whole.records[SQL]) - 1
    assert f"{SQL}: 1 item(s) skipped, see the warnings above." in result.warnings


def test_a_page_in_the_place_of_all_sql_fails(run, emulator):
    emulator.add_fault(Fault("html", "/queries/run/sql", times=None))
    result = run(catalog=selecting(SQL))
    assert result.exit_code == 1
    assert SQL not in result.records


def test_sql_that_is_json_is_unpacked(run, emulator):
    text = 'SELECT 1 AS "a"\n'
    emulator.add_fault(Fault("status", "/queries/run/sql", status=200, json=text, times=None))
    result = run(catalog=selecting(SQL)).succeeded()
    assert {one["sql"] for one in result.records[SQL]} == {text}


def test_abstract_explores_are_skipped_and_counted(run, emulator):
    emulator.add_fault(Fault("denied", "/queries/run/sql"))
    result = run(catalog=selecting(SQL), concurrency=1).succeeded()
    first = next(iter(emulator.instance.lookml_models))
    name = f"{first['name']}::{first['explores'][0]['name']}"
    assert any(f"{SQL}: one skipped: {name}: " in line for line in result.warnings)
    assert f"{SQL}: 1 item(s) skipped, see the warnings above." in result.warnings


# -------------------------------------------------------------------------- what is asked for


ONE = "storefront::orders"


def an_explore(emulator, **properties):
    """One explore of the instance, with other metadata; its name."""
    about = {
        "id": ONE,
        "model_name": "storefront",
        "name": "orders",
        "view_name": "orders",
        "connection_name": "warehouse",
        "dialect_name": "postgres",
        "sql_table_name": None,
        "joins": [],
        "fields": {"dimensions": [], "measures": []},
        **properties,
    }
    path = "/lookml_models/storefront/explores/orders"
    emulator.add_fault(Fault("status", path, status=200, json=about, times=None))


def a_field(name, **properties):
    return {"name": name, "view": name.partition(".")[0], "error": None, **properties}


def asked(emulator):
    """The query of that explore."""
    bodies = [json.loads(call.body) for call in emulator.calls if call.path == "/queries/run/sql"]
    (found,) = [one for one in bodies if (one["model"], one["view"]) == ("storefront", "orders")]
    return found


def test_sql_is_that_of_one_field_of_each_view(run, emulator):
    an_explore(
        emulator,
        always_filter=[{"name": "orders.day", "value": "7 days"}],
        conditionally_filter=[{"name": "users.id", "value": None}, {"name": "users.state"}],
        fields={
            "dimensions": [
                a_field("users.gone", error="Unknown column"),
                a_field("users.name"),
                a_field("users.state"),
                a_field("orders.day"),
                a_field("orders.id", primary_key=True),
                a_field("orders.number", primary_key=True),
                {"name": "buyers.id", "view": None},
                None,
            ],
            "measures": [a_field("users.count"), a_field("items.count"), a_field("items.total")],
        },
    )
    run(catalog=selecting(SQL)).succeeded()
    assert asked(emulator) == {
        "model": "storefront",
        "view": "orders",
        "fields": ["orders.id", "users.name", "buyers.id", "items.count"],
        "filters": {"orders.day": "7 days"},
        "limit": "1",
    }
    assert emulator.query_runs == 0, "nothing runs in the database"


def test_a_query_has_100_fields_at_most(run, emulator):
    names = [f"view_{number}.id" for number in range(101)]
    fields = {"dimensions": [a_field(name) for name in names], "measures": None}
    an_explore(emulator, view_name="view_100", fields=fields)
    emulator.add_fault(
        Fault("status", "/queries/run/sql", containing="view_100", status=200, json="SELECT 1")
    )
    result = run(catalog=selecting(SQL)).succeeded()
    assert asked(emulator)["fields"] == ["view_100.id", *names[:99]]
    (row,) = [one for one in result.records[SQL] if one["explore_id"] == ONE]
    assert row["has_all_views"] is False
    assert row["fields"].count(",") == 99


@pytest.mark.parametrize("fields", [None, {}, {"dimensions": None, "measures": []}])
def test_an_explore_without_fields_is_skipped_and_counted(run, emulator, fields):
    an_explore(emulator, fields=fields)
    result = run(catalog=selecting(SQL)).succeeded()
    assert ONE not in result.ids(SQL)
    assert f"{SQL}: one skipped: {ONE} has no fields." in result.warnings


def test_one_query_of_fields_is_shared_with_the_streams_of_explores(run, emulator):
    names = ("explores", "explore_fields", "explore_joins", SQL, TABLES)
    run(catalog=selecting(*names)).succeeded()
    explores = sum(len(model["explores"]) for model in emulator.instance.lookml_models)
    assert emulator.count("/lookml_models/*/explores/*") == explores
    assert emulator.count("/queries/run/sql") == explores


# ---------------------------------------------------------------------------- physical tables


def tables(result):
    return [
        (one["view_name"], one["source"], one["table_name"], one["is_resolved"])
        for one in result.records.get(TABLES, [])
        if one["explore_id"] == ONE
    ]


def test_tables_alone_cost_what_explores_cost(run, emulator):
    result = run(catalog=selecting(TABLES)).succeeded()
    assert {one["source"] for one in result.records[TABLES]} == {"sql_table_name"}
    assert emulator.count("/derived_table/*") == emulator.count("/queries/*") == 0
    assert result.records.keys() == {TABLES}


def test_tables_are_named_as_lookml_names_them(run, emulator):
    an_explore(
        emulator,
        dialect_name="bigquery_standard_sql",
        sql_table_name="`my-project.shop.orders` AS orders ",
        joins=[
            {"name": "buyers", "from": "users", "sql_table_name": "shop.users"},
            {"name": "copies", "sql_table_name": "${users.SQL_TABLE_NAME}"},
            {"name": "others", "sql_table_name": "${ elsewhere.SQL_TABLE_NAME }"},
            {"name": "stock", "sql_table_name": "@{schema}.stock"},
            {"name": "days", "sql_table_name": "(select 1 from a.b, c.d)"},
            {"name": "derived", "sql_table_name": None},
            {"name": None, "sql_table_name": "lost"},
            "lost",
        ],
    )
    result = run(catalog=selecting(TABLES)).succeeded()
    assert tables(result) == [
        ("orders", "sql_table_name", "my-project.shop.orders", True),
        ("buyers", "sql_table_name", "shop.users", True),
        ("copies", "sql_table_name", "shop.users", True),
        ("others", "sql_table_name", "${ elsewhere.SQL_TABLE_NAME }", False),
        ("stock", "sql_table_name", "@{schema}.stock", False),
        ("days", "sql_table_name", "a.b", True),
        ("days", "sql_table_name", "c.d", True),
    ]
    first, *_, last = (one for one in result.records[TABLES] if one["explore_id"] == ONE)
    assert (first["database_name"], first["schema_name"], first["name"]) == (
        "my-project",
        "shop",
        "orders",
    )
    assert first["connection_name"] == "warehouse"
    assert last["database_name"] is None


def test_the_first_view_may_go_by_the_name_of_the_explore(run, emulator):
    scopes = ["orders", "users"]
    an_explore(emulator, view_name="sales", sql_table_name="shop.sales", scopes=scopes)
    of_graph(emulator, "storefront", "digraph g { <sales> -> <shop.a> [style=dashed] }")
    assert tables(run(catalog=selecting(TABLES, EDGES)).succeeded()) == [
        ("orders", "sql_table_name", "shop.sales", True),
        ("orders", "derived_table_graph", "shop.a", True),
    ]


def test_derived_tables_lead_to_their_tables_by_way_of_others(run, emulator):
    an_explore(emulator, view_name="facts", joins=[{"name": "again", "from": "facts"},
                                                   {"name": "base"}])  # fmt: skip
    of_graph(
        emulator,
        "storefront",
        "digraph g { <facts> -> <base> <facts> -> <shop.a> [style=dashed] <base> -> <facts> "
        '<base> -> <"SHOP"."B"> [style=dashed] <base> -> <not one table> [style=dashed] }',
    )
    found = tables(run(catalog=selecting(TABLES, EDGES)).succeeded())
    both = [("shop.a", True), ("SHOP.B", True), ("not one table", False)]
    for view, expected in {"facts": both, "again": both, "base": [*both[1:], both[0]]}.items():
        assert [
            (name, is_resolved) for one, source, name, is_resolved in found if one == view
        ] == expected, view
    assert {source for _, source, *_ in found} == {"derived_table_graph"}


@pytest.mark.parametrize(
    ("name", "path"), [(EDGES, "/derived_table/*"), (SQL, "/queries/run/sql")]
)  # fmt: skip
def test_what_cannot_be_read_beside_does_not_take_the_tables_along(run, emulator, name, path):
    emulator.add_fault(Fault("denied", path, times=None))
    result = run(catalog=selecting(TABLES, name))
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.errors[:-1]] == [f"Failed {name}"]
    assert result.records[TABLES]
    assert any(line.startswith(f"{TABLES}: one skipped: without ") for line in result.warnings)


def test_sql_that_sqlglot_cannot_read_is_skipped_and_counted(run, emulator):
    emulator.add_fault(
        Fault("status", "/queries/run/sql", status=200, json="SELECT FROM ((", times=1)
    )
    result = run(catalog=selecting(TABLES, SQL), concurrency=1).succeeded()
    assert f"{TABLES}: 1 item(s) skipped, see the warnings above." in result.warnings


@pytest.mark.parametrize("name", ["joins", "sql_table_name"])
def test_explores_that_do_not_show_their_tables_are_counted(run, emulator, name):
    emulator.add_fault(Fault("drop_nested", "/lookml_models/*/explores/orders", names=(name,)))
    result = run(catalog=selecting(TABLES)).succeeded()
    assert any(TABLES in line and name in line for line in result.warnings)


def test_if_no_explore_shows_its_tables_the_stream_is_denied(run, emulator):
    path = "/lookml_models/*/explores/*"
    emulator.add_fault(Fault("drop_nested", path, names=("joins", "sql_table_name"), times=None))
    result = run(catalog=selecting(TABLES))
    assert result.exit_code == 1
    assert any(line.startswith(f"Failed {TABLES}: ") for line in result.errors)


def test_without_sqlglot_the_stream_says_what_to_install(run, emulator, monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    result = run(catalog=selecting(TABLES, "folders"))
    assert result.exit_code == 1
    (line,) = [line for line in result.errors if line.startswith(f"Failed {TABLES}: ")]
    assert "lookout-tap-looker[lineage]" in line
    assert result.records["folders"]
    assert emulator.count("/lookml_models*") == 0, "it is said before anything is read for it"
    assert run("--access", catalog=selecting(TABLES)).exit_code == 0
