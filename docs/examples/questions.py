"""What customers of a coffee machine ask, one thing after the other."""
# ruff: noqa: RUF001

import re

THREADS = (
    ("How often should I descale the machine?", "How long does the descaling cycle run?",
     "Is damage by limescale covered by the warranty?"),
    ("The drop light blinks orange. What now?", "How much water and descaler do I fill into the tank?",
     "Do I have to rinse the machine with clean water afterwards?"),
    ("My espresso tastes bitter. Which grinder step should I use?", "And if it tastes sour?",
     "Can I change the step while the grinder runs?"),
    ("Which step of the grinder is for filter coffee?", "My filter coffee is too weak. Should I use more coffee?"),
    ("Can I put the milk jug in the dishwasher?", "How do I clean the brew group?", "With soap or without soap?"),
    ("When do I rinse the milk nozzle?", "Does the drip tray go in the dishwasher?"),
    ("When do refunds arrive after I return a machine?", "Can opened bags of coffee be returned?"),
    ("Can I return a machine that I have used?", "How many days after delivery?", "Who pays for the shipping?"),
    ("How long does the warranty cover the machine?", "Where is the serial number?",
     "What do I send to make a claim?"),
    ("Is the pump covered by the warranty for five years?", "My receipt is lost. What can I do?"),
    ("What does the red light mean?", "The tank is full, and the light is still red. What is wrong?"),
    ("Why is the white light blinking?", "How long does the heating take?",
     "Can I switch the light off at night?"),
    ("What does a steady white light mean?", "Which button starts the descaling cycle?"),
)  # fmt: skip
UNKNOWN = (
    "Do you sell tea?",
    "Where is your nearest shop?",
    "Does the frother work with oat milk?",
    "How loud is it in decibels?",
    "Can I get it in green?",
    "Is there an app for my phone?",
    "Do you ship to Norway?",
)
"""What the manual says nothing about."""
JAPANESE_THREADS = (
    ("石灰の除去は何か月ごとに行えばよいですか？", "洗浄は何分間行われますか？", "石灰による故障は保証の対象ですか？"),
    ("エスプレッソが苦いときはどうすればよいですか？", "酸っぱいときは？", "ミルの挽き目は何段階ありますか？"),
    ("ミルクジャグは食器洗い機に入れられますか？", "抽出ユニットの洗い方を教えてください。"),
    ("赤いランプは何を示しますか？", "白いランプの点滅は何ですか？"),
    ("ポンプの保証期間は何年ですか？", "製造番号はどこにありますか？", "近くのお店を教えてください。"),
)


def is_japanese(text: str) -> bool:
    """Whether there are kana in it."""
    return bool(re.search(r"[ぁ-ヿ]", text))
