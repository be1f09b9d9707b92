"""Features that are beta or alpha: agents, conversations and artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from looker_emulator.instance.values import Row, can, moment, pick, slug

if TYPE_CHECKING:
    from looker_emulator.instance.collections import Collections

# ----------------------------------------------------------------------------------------- agents


def agents(instance: Collections) -> list[Row]:
    """Conversational agents (beta). Some are in the trash."""
    explores = [
        {"model": model["name"], "explore": explore["name"]}
        for model in instance.lookml_models
        for explore in model["explores"]
    ]
    made = []
    for number in range(4 + len(instance.users) // 20):
        owner = pick(instance.users, number * 3)
        made.append(
            {
                "can": can(number, "update", "destroy"),
                "id": str(number + 1),
                "created_by_user_id": owner["id"],
                "created_by_name": owner["display_name"],
                "created_by_first_name": owner["first_name"],
                "created_by_last_name": owner["last_name"],
                "created_by_avatar_url": owner["avatar_url"],
                "name": f"{pick(('Stock clerk', 'Gärtner', 'Season planner'), number)} {number}",
                "description": "" if number % 2 else "Knows where things stand",
                "category": pick(("conversation", None), number),
                "sources": [pick(explores, number), pick(explores, number * 5 + 1)],
                "has_inaccessible_source": number % 3 == 2,
                "golden_queries": [_golden_query(owner, pick(explores, number), number)]
                if number % 2
                else [],
                "golden_query_ids": [number * 2 + 1] if number % 2 else [],
                "context": {"instructions": "Answer in one sentence.\nNo emoji."},
                "deleted": number % 4 == 3,
                # Dates, as in the API document; recorded bodies have times.
                "created_at": moment(440 + number, number)[:10],
                "updated_at": moment(470 + number % 20, number)[:10],
                "content_metadata_id": str(number + 80_000),
                "code_interpreter": number % 2 == 0,
                "studio_agent_id": slug("agent", number) if number % 3 == 1 else None,
                "workflow_params": None,
                "is_lookml": number % 4 == 2,
                "lookml_agent_id": f"agent_{number}" if number % 4 == 2 else None,
                "lookml_edit_uri": "/projects/greenhouse/files/agents.lkml"
                if number % 4 == 2
                else None,
            }
        )
    return made


def _golden_query(owner: Row, explore: Row, number: int) -> Row:
    """A question with its answer. Its ids are numbers, unlike all others."""
    return {
        "can": can(number),
        "id": number * 2 + 1,
        "query_id": 70_000 + number,
        "questions": ["How much basil was sold?", "Wie viel Basilikum?"],
        "answer": f"/explore/{explore['model']}/{explore['explore']}",
        "is_active": True,
        "created_by_user_id": int(owner["id"]),
        "last_updated_by_user_id": None,
        "created_at": moment(445, number),
        "last_updated_at": moment(446, number),
        "explore": explore["explore"],
        "model": explore["model"],
        "fields": [],
        "filters": {},
        "sorts": [],
        "limit": "500",
        "client_id": slug("golden query", number),
        "pivots": [],
        "dynamic_fields": None,
    }


def agent_lookml(instance: Collections) -> dict[str, list[Row]]:
    """The LookML of each agent that was made in Looker; those of LookML have none here."""
    return {
        agent["id"]: [{"agent_id": agent["id"], "lookml": f"agent: a{agent['id']} {{\n}}\n"}]
        for agent in instance.agents
        if not agent["is_lookml"]
    }


def conversations(instance: Collections) -> list[Row]:
    """The conversations of the API key's user, with their messages."""
    me = instance.me[0]["id"]
    made = []
    for number in range(6):
        agent = None if number == 4 else pick(instance.agents, number)
        identifier = slug("conversation", number)
        made.append(
            {
                "can": can(number, "update", "destroy"),
                "id": identifier,
                "name": pick(("Basil in May", "Wie viele Töpfe?"), number),
                "category": None,
                "sources": agent["sources"] if agent else [],
                "user_id": me,
                "agent_id": agent["id"] if agent else None,
                "deleted": False,
                "created_at": moment(480 + number)[:10],
                "updated_at": moment(485 + number)[:10],
                "messages": [_message(identifier, order) for order in range(number % 4)],
                "conversation_agent": agent,
                "missing_agent": agent is None,
                "studio_conversation_id": None,
            }
        )
    return made


def _message(conversation: str, order: int) -> Row:
    asked = order % 2 == 0
    text = "How much basil was sold in May?" if asked else "1,204 pots of basil."
    return {
        "can": can(order),
        # Unique within the conversation.
        "id": str(order + 1),
        "message": {
            "timestamp": moment(480, order * 11),
            "userMessage" if asked else "systemMessage": {"text": {"parts": [text]}},
            "conversation": conversation,
            "tokens": 17,
        },
        "type": "user" if asked else "system",
        "order": order,
    }


def responses(conversation: Row, message: str) -> list[Row]:
    """The answers to one of the user's messages; there are none to an answer."""
    asked = [row["order"] for row in conversation["messages"] if row["id"] == message]
    return [
        row
        for row in conversation["messages"]
        if row["type"] == "system" and row["order"] - 1 in asked
    ]


# -------------------------------------------------------------------------------------- artifacts


def artifacts(instance: Collections) -> list[Row]:
    """Keys and values stored by extensions (alpha)."""
    rows = []
    for number in range(9):
        value = '{"pinned":["Größe"],"columns":3}' if number % 2 else "{}"
        author = pick(instance.users, number)["id"]
        rows.append(
            {
                "key": f"{pick(('layout', 'note/of the day', 'seen'), number)}:{number // 3}",
                "value": value,
                "content_type": pick(("application/json", None), number),
                "version": number % 5 + 1,
                "namespace": pick(("greenhouse::planner", "notes"), number // 3),
                "created_at": moment(200 + number),
                "updated_at": moment(400 + number),
                "value_size": len(value.encode()),
                "created_by_userid": author,
                "updated_by_userid": author,
            }
        )
    return rows


def artifact_usage(instance: Collections) -> list[Row]:
    """How much space the artifacts take."""
    used = sum(artifact["value_size"] for artifact in instance.artifacts)
    return [{"max_size": 100_000_000, "usage": used}]


def artifact_namespaces(instance: Collections) -> list[Row]:
    """The namespaces of artifacts."""
    names = [artifact["namespace"] for artifact in instance.artifacts]
    return [{"namespace": name, "count": names.count(name)} for name in dict.fromkeys(names)]
