"""What the synthetic pages are made of: colours, shapes, words, characters and class numbers."""

import string

COLORS = {
    "red": (214, 48, 49),
    "blue": (9, 100, 227),
    "green": (39, 160, 80),
    "yellow": (245, 200, 30),
    "purple": (130, 60, 190),
    "orange": (240, 130, 20),
    "pink": (240, 130, 180),
    "black": (25, 25, 25),
    "gray": (130, 130, 130),
    "brown": (130, 80, 40),
    "teal": (20, 150, 150),
}
# Three lines in four are nearly black.
INK_CHOICES = [COLORS["red"], *[(20, 20, 20)] * 3]
SHAPES = ("circle", "square", "triangle", "star", "diamond", "cross")

# Class 0 of both label sets is "nothing here".
CHARACTERS = string.ascii_letters + string.digits + ".,:$%#-/&'@+"
ALPHANUMERIC = CHARACTERS[:62]
CHARACTER_CLASS = {character: index + 1 for index, character in enumerate(CHARACTERS)}
CHARACTER_CLASSES = len(CHARACTERS) + 1
SHAPE_CLASS = {
    f"{color} {shape}": index + 1
    for index, (color, shape) in enumerate((c, s) for c in COLORS for s in SHAPES)
}
SHAPE_CLASSES = len(SHAPE_CLASS) + 1

SYLLABLES = (
    "ba be bo ca co da de do fa fi ga go ha ho ja jo ka ko la le lo ma mi mo na ne no pa pe po "
    "ra re ri ro sa se so ta te to va vi wa za zo an en in on ar er or al el il"
).split()
ITEMS = (
    "Tea Coffee Bread Milk Cheese Apple Banana Soup Salad Pizza Pasta Rice Juice Water Cake Cookie "
    "Egg Butter Honey Sugar Salt Burger Fries Steak Fish Lemon Grapes Tomato Onion Potato Muffin "
    "Bagel Donut Yogurt Cereal Beans Corn Soda Wine Beer Pen Book Soap Candle Towel Lamp Mug Plate"
).split()
STORES = [
    "Corner Market", "Green Grocer", "City Cafe", "Sunny Deli", "Blue Bistro", "Star Foods",
    "Happy Mart", "River Shop", "Old Town Diner", "Fresh Farm", "Moon Bakery", "Lucky Kiosk",
]  # fmt: skip
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
TOPICS = (
    "Sales Visitors Rainfall Revenue Users Orders Energy Traffic Exports Tickets Views Profit"
).split()
CATEGORIES = [
    "North", "South", "East", "West", "Cats", "Dogs", "Birds", "Fish", "Tea", "Coffee", "Juice",
    "Water", "Cars", "Bikes", "Buses", "Trains", "Gold", "Silver", "Oil", "Gas", "Red", "Team A",
    "Team B", "Team C", "Paris", "Rome", "Tokyo", "Delhi", "Lima", "Oslo", "Cairo", "Berlin",
]  # fmt: skip
ROLES = (
    "Engineer Designer Doctor Teacher Pilot Chef Nurse Artist Lawyer Writer Analyst Manager"
).split()
ORGANIZATIONS = ("Labs", "Corp", "Club", "Group", "School", "Museum", "Hotel")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
# Tables, forms, signs and screens.
SERIF_FACES = ("DejaVuSerif.ttf", "LiberationSerif-Regular.ttf")
ROW_COLUMNS = ("Name", "City", "Team", "Item", "Country", "Shop", "Group", "Month")
NUMBER_COLUMNS = (
    "Users Visits Orders Price Stock Score Points Goals Age Weight Sold Rooms Floor Hours Seats "
    "Cost Size Length Speed Rank Wins Calls Views Trips"
).split()
FORM_TITLES = (
    "Order Form", "Visitor Form", "Registration", "Application", "Membership", "Booking",
    "Delivery Note", "Feedback", "Library Card", "Travel Claim", "Parking Permit", "Sign Up",
)  # fmt: skip
STREETS = ("Street", "Road", "Lane", "Hill", "Park", "Way")
CHOICES = (
    ("Yes", "No"), ("Cash", "Card"), ("Small", "Medium", "Large"), ("Single", "Double"),
    ("Morning", "Evening"), ("Mr", "Ms", "Dr"), ("Adult", "Child"), ("Air", "Sea", "Road"),
)  # fmt: skip
NOTICES = (
    "No Parking", "No Entry", "Exit", "Push", "Pull", "Wet Paint", "Keep Out", "Private",
    "Mind the Step", "Ring the Bell", "Staff Only", "Please Wait", "Slow", "Stop", "Danger",
    "No Smoking", "Way Out", "Quiet Please", "Fire Exit", "Parking", "Toilets", "Lift", "Sale",
    "Out of Order", "Watch Your Head", "Beware of Dogs", "Cash Only", "Open", "Closed",
)  # fmt: skip
SETTINGS = (
    "Language Theme Volume Brightness Font Zoom Region Network Printer Device Account Storage "
    "Version Battery Backup Sound Alarm Timer Keyboard Camera Location Updates Bluetooth Privacy"
).split()
SETTING_VALUES = (
    "English French Spanish Large Small Medium High Low Auto Manual Never Always Daily Weekly "
    "Default Custom Full None Dark Light Fast Slow Left Right"
).split()
VARIABLES = (
    "port size count limit name path width height index value total delay speed color mode rate "
    "level depth offset scale"
).split()
FIELD_LABELS = {
    "name": "Name",
    "role": "Role",
    "phone": "Phone",
    "city": "City",
    "id": "ID",
    "room": "Room",
    "date": "Date",
    "age": "Age",
}
FIELD_QUESTIONS = {
    "name": ("What is the name?", "Who is this?"),
    "role": ("What is the role?",),
    "phone": ("What is the phone number?",),
    "city": ("Which city is it?", "What is the city?"),
    "id": ("What is the ID?",),
    "room": ("Which room is it?", "What is the room number?"),
    "date": ("What is the date?",),
    "age": ("How old is the person?", "What is the age?"),
}
# Words of a question that mean a field without naming it.
FIELD_SYNONYMS = {"person": "Age", "old": "Age"}


def made_up_name(draw) -> str:
    """Two or three syllables: a name that no reader can guess."""
    syllables = (draw.choice(SYLLABLES) for _ in range(draw.choice((2, 2, 3))))
    return "".join(syllables).capitalize()


def money(cents: int) -> str:
    return f"${cents // 100}.{cents % 100:02d}"
