"""What pages of the style `rich` add: goods, shops and labels that no list can hold."""

from vocabulary import CATEGORIES, ITEMS, MONTHS, STORES, TOPICS, made_up_name

MORE_ITEMS = (
    "Mint Basil Garlic Ginger Pepper Carrot Celery Cabbage Spinach Lettuce Cucumber Pumpkin Melon "
    "Mango Peach Pear Plum Cherry Kiwi Orange Lime Coconut Almonds Walnuts Raisins Oats Flour "
    "Yeast Oil Vinegar Mustard Ketchup Mayo Jam Syrup Cocoa Candy Gum Chips Popcorn Pretzel Waffle "
    "Pancake Sandwich Wrap Taco Burrito Noodles Ramen Sushi Curry Stew Omelette Bacon Ham Turkey "
    "Chicken Duck Lamb Shrimp Crab Tuna Salmon Cod Tofu Hummus Latte Espresso Mocha Cider Smoothie "
    "Lemonade Tonic Whisky Shampoo Lotion Sponge Tissue Batteries Bulb Tape Glue Scissors Notebook "
    "Pencil Eraser Ruler Stapler Umbrella Gloves Socks Shirt Scarf Hat Belt Wallet Mirror Brush "
    "Comb Razor Charger Cable Mouse Keyboard Headset Speaker Camera Tripod Lens Printer Paper "
    "Toner Hammer Nails Screws Drill Paint Rope Bucket Shovel Seeds Pot Vase Rug Pillow Blanket "
    "Sheet Curtain Clock Frame Toy Puzzle Ball Racket Bike Helmet Ticket Parking Delivery Tip "
    "Service Repair Rental"
).split()
ADJECTIVES = (
    "Green Black White Red Iced Hot Fresh Large Small Mini Organic Dark Sweet Salted Spicy Raw Dry "
    "Double Classic Grilled Baked Fried Smoked Frozen Cold Daily House Baby Wild Royal"
).split()
SHOP_WORDS = (
    "Market Cafe Deli Bistro Foods Mart Shop Diner Farm Bakery Kiosk Grill Store Pharmacy Hardware "
    "Books Garden Electronics Pizzeria Bar Hotel Station Outlet Corner Express Supply Grocery"
).split()
# Characters that fit under a bar.
MAX_LABEL = 8


def item(draw) -> str:
    """Of a list, with an adjective, or made up."""
    kind = draw.random()
    if kind < 0.35:
        return draw.choice(ITEMS)
    if kind < 0.65:
        return draw.choice(MORE_ITEMS)
    if kind < 0.85:
        return f"{draw.choice(ADJECTIVES)} {draw.choice(ITEMS + MORE_ITEMS)}"
    return made_up_name(draw)


def items(draw, count: int) -> list[str]:
    """Different goods."""
    found: list[str] = []
    while len(found) < count:
        add_distinct(found, item(draw))
    return found


def store(draw) -> str:
    kind = draw.random()
    if kind < 0.3:
        return draw.choice(STORES)
    if kind < 0.5:
        return f"{made_up_name(draw)}'s {draw.choice(SHOP_WORDS)}"
    if kind < 0.8:
        return f"{made_up_name(draw)} {draw.choice(SHOP_WORDS)}"
    return f"{draw.choice(ADJECTIVES)} {made_up_name(draw)} {draw.choice(SHOP_WORDS)}"


def topic(draw) -> str:
    """What a chart is about."""
    plain = draw.choice(TOPICS)
    if draw.random() < 0.4:
        return draw.choice((f"{plain} of {made_up_name(draw)}", made_up_name(draw)))
    return plain


def labels(draw, count: int) -> list[str]:
    """Labels of bars: years, quarters, or different words."""
    kind = draw.random()
    if kind < 0.2:
        first = draw.randint(1990, 2030 - count)
        return [str(first + index) for index in range(count)]
    if kind < 0.35:
        return [f"Q{index + 1}" for index in range(count)] if count <= 4 else MONTHS[:count]
    found: list[str] = []
    while len(found) < count:
        label = draw.choice([made_up_name(draw), draw.choice(CATEGORIES), item(draw)])
        if len(label) <= MAX_LABEL:
            add_distinct(found, label)
    return found


def add_distinct(found: list[str], text: str) -> None:
    """Appends a text unless it is a part of another, or another of it."""
    if all(text not in other and other not in text for other in found):
        found.append(text)
