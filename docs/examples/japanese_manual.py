"""The same manual in Japanese, which is written without spaces: it is searched, and quoted, by pairs of characters."""

import re
from itertools import pairwise

from documents import Found

DOCUMENTS = {
    "descaling": (
        "石灰の除去は三か月ごと、またはしずくのランプがオレンジ色に点滅したときに行ってください。"
        "水タンクに水500mlと除去剤を一袋入れ、スチームボタンを五秒間押し続けると、洗浄が二十分間行われます。"
        "終わったら、きれいな水で二回すすいでください。"
    ),
    "cleaning": (
        "ミルクノズルは飲み物を作るたびに水で洗ってください。"
        "水受け皿とミルクジャグは食器洗い機に入れず、手で洗ってください。"
        "抽出ユニットは週に一度、洗剤を使わずにぬるま湯で洗います。"
    ),
    "warranty": (
        "保証期間は、本体がお買い上げの日から二年間、ポンプは五年間です。"
        "石灰による故障は保証の対象外です。"
        "修理のお申し込みには、領収書と、水受け皿の下にある製造番号をお送りください。"
    ),
    "grinder": (
        "ミルの挽き目は十二段階あります。"
        "エスプレッソは四、フィルターコーヒーは九から始めてください。"
        "エスプレッソが苦いときは一段粗く、酸っぱいときは一段細かくしてください。"
    ),
    "lights": (
        "白いランプの点灯は、準備ができたことを示します。"
        "白いランプの点滅は加熱中で、四十五秒ほどかかります。"
        "赤いランプは、水タンクが空か、正しく入っていないことを示します。"
    ),
}
INSTRUCTIONS = "あなたはコーヒーマシンを作るKumoのサポート担当です。次の文書だけをもとに、二文以内で答えてください。"
NO_ANSWER = "お手元の資料には見つかりませんでした。"


def search(query: str, top_k: int = 2) -> list[Found]:
    """The documents that share most with a query."""
    wanted = _pairs(query)
    scores = {name: 10 * len(wanted & _pairs(text)) / len(wanted) for name, text in DOCUMENTS.items()}
    best = sorted(scores, key=lambda name: scores[name], reverse=True)[:top_k]
    return [Found(name, round(scores[name], 3), DOCUMENTS[name]) for name in best if scores[name] > 0]


def answer(query: str) -> str:
    """The sentence of the manual that shares most with a question."""
    wanted = _pairs(query)
    sentences = [part for found in search(query) for part in re.findall(r"[^。]+。", found.text)]
    best = max(sentences, key=lambda sentence: len(wanted & _pairs(sentence)), default="")
    return best if len(wanted & _pairs(best)) >= 3 else NO_ANSWER


def _pairs(text: str) -> set[str]:
    # The endings of questions, and the particles, would make everything alike.
    content = re.sub(r"(ください|ですか|ますか|ました|です|ます)|[。、？のはをにがでと]", " ", text)  # noqa: RUF001
    return {first + second for first, second in pairwise(content) if " " not in (first, second)}
