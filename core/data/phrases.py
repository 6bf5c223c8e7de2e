"""The words of the templated sentences, English and Chinese."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Phrases:
    """What stands in each slot; "" is an empty slot. Words of English phrases are divided by spaces, Chinese phrases are whole
    words. `comma` stands before a contrast."""

    opening: tuple[str, ...]
    subject: tuple[str, ...]
    verb: tuple[str, ...]
    adverb: tuple[str, ...]
    negation: tuple[str, ...]
    negative: tuple[str, ...]
    positive: tuple[str, ...]
    ending: tuple[str, ...]
    contrast: tuple[str, ...]
    comma: str


ENGLISH = Phrases(
    opening=("", "honestly", "well", "to be fair", "on monday", "after two hours", "my friend said"),
    subject=(
        "the film",
        "the food",
        "the hotel room",
        "this phone",
        "the service",
        "that book",
        "the lecture",
        "our guide",
        "the new menu",
        "the battery",
    ),
    verb=("is", "was", "seemed", "felt", "looked"),
    adverb=("", "very", "really", "quite", "rather", "so"),
    negation=("not", "never", "hardly"),
    negative=("bad", "awful", "terrible", "poor", "dreadful", "disappointing", "dull", "horrible", "mediocre", "unpleasant"),
    positive=(
        "good",
        "great",
        "lovely",
        "superb",
        "excellent",
        "wonderful",
        "pleasant",
        "impressive",
        "delightful",
        "charming",
    ),
    ending=("", "today", "for the price", "in the end", "as usual", "when we arrived", "with a red door", "near table seven"),
    contrast=("but", "however", "yet"),
    comma=",",
)
CHINESE = Phrases(
    opening=("", "说实话", "老实讲", "周一", "等了两小时", "朋友说"),
    subject=("这部电影", "饭菜", "酒店房间", "这款手机", "服务", "那本书", "这堂课", "我们的导游", "新菜单", "电池"),
    verb=("", "真的", "显得", "看起来"),
    adverb=("很", "非常", "挺", "相当"),
    negation=("不", "并不", "没那么"),
    negative=("差", "糟", "无聊", "难看", "差劲", "糟糕", "乏味", "低劣", "可怕", "讨厌"),
    positive=("好", "棒", "精彩", "好看", "出色", "优秀", "有趣", "高级", "可爱", "迷人"),
    ending=("", "今天", "这个价位", "总的来说", "和往常一样", "到店的时候", "靠近七号桌"),
    contrast=("但是", "不过", "然而"),
    comma="\uff0c",
)
PHRASES: dict[Language, Phrases] = {"en": ENGLISH, "zh": CHINESE}
