"""The products, regions and warehouses of the demo company."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """A category of products. `price` is the price of the cheapest in EUR; others cost up to ten times as much."""

    name: str
    price: int
    products: tuple[str, ...]


CATEGORIES = (
    Category(
        "Bags", 24, ("Day pack", "Travel bag", "登山背包", "Batoh na notebook", "حقيبة جلدية", "Tote bag")
    ),
    Category(
        "Books", 6, ("City guide", "Field notes", "旅行地图集", "Kuchařka", "كتاب الطبخ", "Pocket atlas")
    ),
    Category(
        "Clothing", 12, ("Rain jacket", "Merino jumper", "羊毛围巾", "Čepice", "قبعة صيفية", "Wool socks")
    ),
    Category(
        "Garden", 9, ("Hand trowel", "Planter", "园艺剪刀", "Zahradní židle", "إبريق ري", "Bird feeder")
    ),
    Category(
        "Kitchen",
        8,
        ("Coffee mill", "Cast iron pan", "紫砂茶壶", "Porcelánový šálek", "إبريق شاي", "Bread knife"),
    ),
    Category(
        "Lighting", 15, ("Desk lamp", "Head torch", "纸灯笼", "Stojací lampa", "فانوس نحاسي", "String lights")
    ),
    Category(
        "Sports", 11, ("Yoga mat", "Climbing rope", "羽毛球拍", "Běžecké boty", "كرة قدم", "Water bottle")
    ),
    Category("Toys", 5, ("Wooden train", "Kite", "木制拼图", "Plyšový medvěd", "لعبة خشبية", "Board game")),
)
# Regions, and the percentage of users in each.
REGIONS = (("Europe", 42), ("North America", 30), ("Asia", 18), ("South America", 6), ("Africa", 4))
# Warehouses, and the percentage of a product's units in each.
WAREHOUSES = (("Prague", 24), ("Rotterdam", 22), ("Chicago", 36), ("Singapore", 18))
