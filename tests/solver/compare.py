"""Solves instances of the plan-wide allocation again with HiGHS, level by level, and compares with what the engine said.

Reads JSON lines from `allocation_instances`. Nothing of the engine is used: the model is written from the definition of the
levels. Fails on the first difference, and when the engine proved too little.
"""

import json
import sys

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix


def solve(instance):
    problem, levels = instance["problem"], instance["levels"]
    pairs = problem["pairs"]
    body_of = {request["id"]: request["body"] for request in problem["requests"]}
    columns = len(pairs)
    # Unit steps of bodies and experts: the k-th unit costs the k-th growth of the square.
    steps = []
    for body in problem["bodies"]:
        count = sum(1 for request in problem["requests"] if request["body"] == body["id"])
        steps += [("body", body, k) for k in range(1, count + 1)]
    for expert in problem["experts"]:
        steps += [("expert", expert, k) for k in range(1, expert["places"] + 1)]
    width = columns + len(steps)
    rows, low, high = [], [], []

    def row(entries, least, most):
        rows.append(entries)
        low.append(least)
        high.append(most)

    for request in problem["requests"]:
        row({i: 1 for i, pair in enumerate(pairs) if pair["request"] == request["id"]}, 0, 1)
    for kind, things in (("body", problem["bodies"]), ("expert", problem["experts"])):
        for thing in things:
            entries = {columns + j: -1 for j, step in enumerate(steps) if step[0] == kind and step[1] is thing}
            for i, pair in enumerate(pairs):
                if (kind == "body" and body_of[pair["request"]] == thing["id"]) or (
                    kind == "expert" and pair["expert"] == thing["id"]
                ):
                    entries[i] = 1
            row(entries, 0, 0)
    place = {(pair["request"], pair["expert"], pair["team"]): i for i, pair in enumerate(pairs)}
    for limit in problem["limits"]:
        row({place[tuple(names)]: amount for names, amount in limit["uses"]}, -np.inf, limit["capacity"])

    def costs(level):
        cost = np.zeros(width)
        for i, pair in enumerate(pairs):
            cost[i] = {
                "kept": -int(pair["kept"]),
                "fit": -(pair["score"] // problem["band"]),
                "score": -pair["score"],
                "travel": pair["kilometres"],
                "served": -1,
            }.get(level, 0)
        for j, (kind, thing, k) in enumerate(steps):
            if kind == "body":
                cost[columns + j] = {
                    "never_served": -int(thing["never_served"] and k == 1),
                    "small": -int(thing["small"] and k == 1),
                    "spread": 2 * (thing["served"] + k) - 1,
                }.get(level, 0)
            elif level == "load":
                cost[columns + j] = 2 * (thing["load"] + k) - 1
        return cost

    value = []
    for level in levels:
        cost = costs(level)
        matrix = lil_matrix((len(rows), width))
        for number, entries in enumerate(rows):
            for column, amount in entries.items():
                matrix[number, column] = amount
        def again(presolve):
            return milp(
                cost,
                constraints=LinearConstraint(matrix.tocsr(), low, high),
                integrality=np.ones(width),
                bounds=Bounds(0, 1),
                options={"mip_rel_gap": 0, "presolve": presolve},
            )

        found = again(True)
        # What the level before was solved with is feasible here: HiGHS 1.2 has been seen to lose it in its presolve.
        if found.status == 2:
            found = again(False)
        if found.status != 0:
            raise SystemExit(f"the second solver gave up: {found.message}")
        best = round(found.fun)
        value.append(best)
        row({column: amount for column, amount in enumerate(cost) if amount != 0}, -np.inf, best)
    return value


def main():
    count = proved = splits = better = 0
    for line in sys.stdin:
        instance = json.loads(line)
        value = solve(instance)
        count += 1
        proved += instance["proved"] == len(instance["levels"])
        splits += instance["solves"] > 1
        better += instance["value"] < instance["greedy"]
        prefix = instance["proved"]
        if value[:prefix] != instance["value"][:prefix] or value > instance["value"] or value < instance["bound"]:
            raise SystemExit(f"instance {count}: the engine says {instance['value']} ({prefix} proved), HiGHS {value}")
        if instance["value"] > instance["greedy"]:
            raise SystemExit(f"instance {count}: worse than one request after another")
    if count == 0 or proved * 10 < count * 9 or splits == 0:
        raise SystemExit(f"{count} instances, {proved} proved, {splits} with limits that bind: too few to tell")
    print(f"{count} instances: {proved} proved on all levels, limits bind in {splits}, better than greedy in {better}; all agree")


main()
