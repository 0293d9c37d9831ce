"""Usual wrong answers to the exercises of lab 14."""

LAB = "14-shrinking-a-transformer"
CHOICE = (
    "from itertools import product\n"
    "def my_choice(harms, costs, most):\n"
    "    best, least = None, float('inf')\n"
    "    for choice in product(*(range(len(row)) for row in harms)):\n"
    "        spent = sum(row[option] for row, option in zip(costs, choice))\n"
    "        harm = sum(row[option] for row, option in zip(harms, choice))\n"
    "        if {fits} and harm < least:\n"
    "            best, least = choice, harm\n"
    "    return best\n"
)
OWN = "my_prediction, my_share, my_report = 1.0, {share}, {report}\n"

WRONG = {
    (LAB, "knapsack_by_hand"): [
        (CHOICE.format(fits="spent < most"), "exactly 3 is within 3"),
        (CHOICE.format(fits="max(spent, 0) <= 1000"), "within 5"),
        (
            "def my_choice(harms, costs, most):\n"
            "    return tuple(min(range(len(row)), key=row.__getitem__) for row in harms)\n",
            "within 5",
        ),
        (
            "def my_choice(harms, costs, most):\n"
            "    found, left = [], most\n"
            "    for harm, cost in zip(harms, costs):\n"
            "        fits = [option for option in range(len(harm)) if cost[option] <= left]\n"
            "        found.append(min(fits, key=harm.__getitem__))\n"
            "        left -= cost[found[-1]]\n"
            "    return tuple(found)\n",
            "within 5",
        ),
    ],
    (LAB, "own_budget"): [
        (OWN.format(share=0.05, report="'one'"), "from 0.1 to 0.9"),
        (OWN.format(share=35, report="'one'"), "from 0.1 to 0.9"),
    ],
}
