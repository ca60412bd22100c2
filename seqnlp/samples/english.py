"""The English half of the booking requests: rules, in the notation of `grammar.py`."""

from seqnlp.samples.grammar import parse_rules

RULES = parse_rules("""
place =
    <known_place> *6 / <town>
rail_region =
    european_station *3 / american_place / asian_place / home_place
rail_word =
    train / rail / trains
known_place =
    <european_place> *4 / <american_place> *3 / <asian_place> *2 / <far_place> *2
european_place =
    London / Paris / Lisbon / Madrid / Rome / Vienna / Berlin / Munich / Prague / Oslo / Dublin
    Athens / Zurich / Geneva / Brussels / Amsterdam / Stockholm / Copenhagen / Warsaw
    Budapest
    Barcelona / Valencia / Seville / Porto / Florence / Milan / Naples / Venice / Turin / Lyon
    Nice / Bordeaux / Marseille / Hamburg / Cologne / Edinburgh / Glasgow / Manchester
    Bristol
    York / Bath / Reading / London Heathrow / Vienna Airport / San Sebastian / La Rochelle
european_station =
    <european_place> *8 / Paris Nord / Milan Central / Aix en Provence / Santa Margherita
american_place =
    Boston / Chicago / Denver / Seattle / Austin / Dallas / Houston / Atlanta / Miami / Phoenix
    Portland / Charlotte / Montreal / Toronto / Vancouver / New York / Los Angeles / San Diego
    San Francisco / New Orleans / Santa Fe / Salt Lake City / Las Vegas / Baton Rouge
asian_place =
    Tokyo / Osaka / Kyoto / Nagoya / Kobe / Nara / Sendai / Hiroshima / Tokyo Haneda
    Kansai Airport
far_place =
    Sydney / Melbourne / Perth / Adelaide / Auckland / Wellington / Seoul / Busan / Singapore
    Bangkok / Hanoi / Manila / Jakarta / Delhi / Mumbai / Dubai / Doha / Cairo / Nairobi
    Istanbul
    Jordan / Lima / Bogota / Havana / Mexico City / Buenos Aires / Hong Kong / Cape Town
    Rio de Janeiro / Kuala Lumpur / Oslo Airport / Helsinki
home_place =
    London / Bristol / York / Bath / Reading / Manchester / Edinburgh / Glasgow / <town> *4
town_stem =
    Ash / Black / Brad / Chester / Cran / Dun / East / Fair / Green / Hamp / Hart / Kings
    Lang / Long / Mill / North / Oak / Ox / Red / Rock / Sand / Stan / Stone / Thorn / Wake
    West / White / Win / Wood / Wool
town_ending =
    bridge / brook / bury / dale / field / ford / gate / ham / haven / ley / mouth / port
    side / ton / well
town =
    <town_stem><town_ending>
first_name =
    Anna / April / Austin / Ben / Carlos / Charlotte / Chloe / Daniel / David / Elena / Emma
    Erik / Florence / Grace / Hana / Hugo / Ines / Ivan / Jack / James / Jordan / June / Kate
    Laura / Leo / Lucas / Maria / Mark / Martin / May / Mia / Nina / Noah / Olga / Oscar
    Paris / Paul / Peter / Priya / Rosa / Ruth / Sam / Sara / Sofia / Sydney / Tom / Victor
    Virginia / Will / Yuki
last_name =
    Adams / Baker / Bell / Berg / Boston / Brown / Carter / Chen / Clark / Cooper / Cruz
    Diaz / Evans / Fischer / Garcia / Hall / Hansen / Hughes / Jones / Kaur / Kim / King
    Kovacs / Lee / London / Lopez / March / Martin / Mason / Meyer / Moreau / Novak / Park
    Parker / Patel / Reed / Rossi / Santos / Sato / Silva / Singh / Smith / Stone / Taylor
    Wagner / Walker / Weber / York / <town>
title =
    Mr / Ms / Mrs / Dr
person =
    <first_name> <last_name> *5 / <title> <last_name> / <title> <first_name> <last_name>
    <first_name>
hotel_adjective =
    Amber / Blue / Central / Copper / Crown / Crystal / Golden / Grand / Green / Imperial
    Little / Old / Quiet / Regent / Royal / Silver / Sunny / Twin / Velvet / White
hotel_noun =
    Anchor / Bay / Bridge / Castle / Cedar / Dolphin / Elm / Falcon / Garden / Harbour / Heron
    Lantern / Lighthouse / Lion / Maple / Meadow / Orchard / Palm / Plaza / River / Rose
    Station / Swan / Terrace / Willow
hotel_kind =
    Hotel *3 / Inn / Suites / Lodge / Palace / House
hotel =
    <hotel_adjective> <hotel_noun> <hotel_kind> / <hotel_adjective> <hotel_noun>
    <hotel_noun> <hotel_kind> / <known_place> <hotel_noun> <hotel_kind>
    <known_place> <hotel_kind> / Hotel <hotel_noun> / Hotel <known_place>
    <town> <hotel_kind> / <last_name> <hotel_kind>
airline_name =
    Aurora / Blue Heron / Condor / Delta / Eagle / Falcon / Global / Horizon / Iris / Jade
    Kestrel / Lisbon / Lotus / Lynx / Meridian / Nordic / Northern Star / Osprey / Pacific
    Polar / Red Kite / Seoul / Southern / Swift / Sydney / Tiger / Tradewind / Vista / Vienna
    Zephyr / <town>
airline =
    <airline_name> Air / <airline_name> Airways / <airline_name> Airlines / Air <airline_name>
weekday =
    Monday / Tuesday / Wednesday / Thursday / Friday / Saturday / Sunday
month =
    January / February / March / April / May / June / July / August / September / October
    November / December
number =
    1 / 2 / 3 / 4 / 5 / 6 / 7 / 8 / 9 / 10 / 11 / 12 / 13 / 14 / 15 / 16 / 17 / 18 / 19 / 20
    21 / 22 / 23 / 24 / 25 / 26 / 27 / 28
ordinal =
    1st / 2nd / 3rd / 4th / 5th / 6th / 7th / 8th / 9th / 10th / 11th / 12th / 13th / 14th
    15th / 16th / 17th / 18th / 19th / 20th / 21st / 22nd / 23rd / 24th / 25th / 26th / 27th
    28th
date =
    <weekday> *4 / <month> <number> / <month> <ordinal> / <number> <month> / the <ordinal>
    the <ordinal> of <month>
soon =
    today / tomorrow *2 / the day after tomorrow / <later> *2
day_of_part =
    tomorrow *2 / next <weekday> / this <weekday>
later =
    next <weekday> / this <weekday> / next week / this weekend
hour =
    1 / 2 / 3 / 4 / 5 / 6 / 7 / 8 / 9 / 10 / 11 / 12
hour_word =
    one / two / three / four / five / six / seven / eight / nine / ten / eleven
minute =
    05 / 10 / 15 / 20 / 25 / 30 / 40 / 45 / 50 / 55
half_day =
    am / pm
time =
    <hour> <half_day> / <hour>:<minute> / <hour>:<minute> <half_day> / <hour_word> / <hour>
    noon / half past <hour_word>
clock =
    <hour> <half_day> / <hour>:<minute> / <hour>:<minute> <half_day>
part =
    morning / afternoon / evening
few =
    two / three / four / five / six / 2 / 3 / 4 / 5 / 6
many =
    two / three / four / five / six / seven / 2 / 3 / 4 / 5 / 6 / 7 / 10 / 14
single =
    one / 1
cabin =
    business class / economy class / first class / business / economy / premium economy
seat =
    business class / first class / premium economy / standard class / second class
amount =
    40 / 50 / 60 / 70 / 80 / 90 / 100 / 110 / 120 / 130 / 140 / 150 / 160 / 170 / 180 / 190
    200 / 210 / 220 / 230 / 240 / 250 / 260 / 270 / 280 / 290 / 300 / 325 / 350 / 375 / 400
    425 / 450 / 475 / 500 / 525 / 550 / 575 / 600 / 625 / 650 / 675 / 700 / 725 / 750 / 775
    800 / 825 / 850 / 875 / 900 / 925 / 950 / 975
thousands =
    1 / 2 / 3
hundreds =
    000 / 200 / 250 / 400 / 500 / 750 / 800
sum =
    <amount> *2 / <thousands>,<hundreds>
price =
    $<sum> / €<sum> / £<sum> / <sum> dollars / <sum> euros / <sum> pounds

want =
    I need / I want / I'd like / I'd like to book / I'm looking for / I am after / we need
    we'd like / book me / get me / find me / we want to book / looking for / I have to book
    I would like to reserve / reserve / I may need
ask =
    can you find me / could you book / do you have / can I get / may I book
    would you reserve / can you look for / could we get / may I have / can I reserve
flight =
    <one_flight> *7 / flights
one_flight =
    a flight *2 / a plane ticket / a one-way flight / a return flight
    a direct flight / the first flight / the cheapest flight
train =
    <one_train> *7 / train tickets
one_train =
    a train / a train ticket / a seat on the train / a rail ticket
    a direct train / the first train / the last train
room =
    a room / a hotel / a hotel room / a double room / a place to stay / a quiet room
    a room with a view
route =
    from {origin} to {destination} *3 / to {destination} from {origin} *2
    to {destination} *2 / from {origin} / between {origin} and {destination}
    leaving {origin} for {destination} / out of {origin} to {destination}
    into {destination} from {origin}
fly_route =
    from {origin} to {destination} *2 / to {destination} from {origin} / to {destination}
leg =
    from {origin} to {destination} / to {destination} from {origin} / to {destination}
    {origin} to {destination} / {origin} - {destination}
leave =
    on {departure_date} *2 / {departure_date:soon} / leaving {departure_date:soon}
    leaving on {departure_date} / departing {departure_date}
back =
    returning {return_date:later} / returning on {return_date}
    and coming back on {return_date} / and back on {return_date}
    with a return on {return_date} / and back {return_date:later}
when =
    <leave> *3 / <leave> <back> *3 / <back> / from {departure_date} to {return_date}
    from {departure_date} until {return_date}
    leaving {departure_date} and returning {return_date}
    going {departure_date} and coming back {return_date}
hour_of_day =
    at {time} / around {time} / after {time} / before {time} / in the {time:part} / by {time}
    at {time:clock} / no later than {time}
people =
    for {passengers:few} people / for {passengers:few} / for {passengers:few} adults
    for {passengers:single} person / for {passengers:few} adults and {passengers:single} child
    for {passengers:few} of us / for me and my wife / for a group of {passengers:many}
cabin_phrase =
    in {seat_class:cabin} *2 / with {seat_class:seat} seats
carrier =
    with {airline} *2 / on {airline} / flying {airline}
budget =
    under {price} / for less than {price} / below {price} / for up to {price}
    for {price} or less
in_city =
    in {city} *2 / in central {city} / near {city}
stay =
    for {nights:many} nights *2 / for {nights:many} nights from {checkin_date}
    from {checkin_date} for {nights:many} nights / from {checkin_date:soon}
    on {checkin_date} for {nights:single} night / for {nights:single} night
    checking in on {checkin_date} / checking in {checkin_date:soon} for {nights:many} nights
    starting {checkin_date} / arriving on {checkin_date}
guests =
    for {passengers:few} people / for {passengers:few} guests / for {passengers:few}
    for {passengers:few} adults / for {passengers:single} person
named =
    for {person} / under {person} / under the name {person} / in the name of {person}
my_trip =
    my flight / my train / my booking / our flight / our trip / my trip / the flight
    my ticket / our train
cancel =
    cancel / I need to cancel / I want to cancel / we have to cancel
    I'd like to cancel
change =
    move / I need to move / I'd like to move / change / please change
    I have to change
check =
    I want to check / check / I'm calling about / tell me about
    I have a question about
flight_more =
    we are {passengers:few}
    there are {passengers:few} of us
    we fly out on {departure_date} and come back on {return_date}
    the passenger is {person}
    my budget is {price}
    I want to be there by {time}
    we have to leave {origin} before {time}
    I leave on {departure_date}
    I come back on {return_date}
    we'd prefer {airline}
    I'd prefer {seat_class:cabin}
    we want to be back {return_date:later}
hotel_more =
    we stay {nights:many} nights
    we arrive on {checkin_date}
    we are {passengers:few}
    the guest is {person}
    my budget is {price}
    I will be there around {time}
    we check in {checkin_date:soon}
    it should be under {price} a night

book_flight =
    <want> <flight> [route when? people? cabin_phrase? carrier? budget? hour_of_day?] *4
    <ask> <flight> [route when? people? cabin_phrase? budget? hour_of_day?]? *2
    <want> <flight> for {person} [route when cabin_phrase?]
    <want> {passengers:few} plane tickets [route when cabin_phrase? budget?]
    <want> {passengers:few} {seat_class:seat} seats [route when] with {airline}
    <want> a {seat_class:seat} ticket [route when budget?]
    <want> <flight> <route>. <flight_more>
    <want> <flight> [route people?]. <flight_more>
    flight {origin} - {destination} {departure_date}, {passengers:few} people, {seat_class:cabin}
    flights {origin} to {destination}, {departure_date} to {return_date}, {passengers:few} adults
    I want to fly <fly_route> <when>
    we fly [leg leave people?]. <flight_more>
    I need a flight: origin {origin}, destination {destination}, date {departure_date}
    a flight with destination {destination} and origin {origin}, passengers: {passengers:few}
book_train =
    <want> <train> [route when? people? hour_of_day? budget?] *4
    <ask> <train> [route when? people? hour_of_day?]? *2
    <want> {passengers:few} tickets for the train [route leave? hour_of_day?]
    <want> {passengers:few} {seat_class:seat} seats on the train [route when]
    <want> {passengers:few} seats on the {time:clock} train <leg>
    <want> a seat on the {time:clock} train <leg> <leave>
    <want> {passengers:single} seat on the {time:clock} train <leg>
    train {origin} - {destination} {departure_date:day_of_part} {time:part}, for {passengers:few}
    tickets {origin} to {destination} by train, {departure_date}, {passengers:few} adults
    <want> <train> <route> {departure_date:soon} at {time}
    <want> <train> to {destination} tomorrow. I get on in {origin} at {time}
    I need a train: origin {origin}, destination {destination}, time {time:clock}
book_hotel =
    <want> <room> [in_city stay guests? budget?] *4
    <ask> <room> [in_city stay guests? budget?]? *2
    <want> a room at the {hotel} [stay guests?] *2
    <want> the {hotel} in {city} [stay guests?]
    <ask> a room at the {hotel} in {city} [stay guests?]?
    <want> <room> <named> [in_city stay]
    <want> <room> <in_city> <stay>. <hotel_more>
    <want> a room at the {hotel}. <hotel_more>
    <want> {nights:many} nights at the {hotel} [guests budget?]
    <want> {nights:many} nights [in_city guests] from {checkin_date}
    hotel {city}, {checkin_date}, {nights:many} nights, {passengers:few} people
    hotel in {city} from {checkin_date}, {nights:many} nights, under {price}
change_booking =
    <change> <my_trip> from {departure_date} to {departure_date} *2
    <change> <my_trip> <route> to {departure_date}
    <change> my return flight to {return_date}
    <change> my return from {return_date} to {return_date}
    <change> our stay in {city} to {checkin_date}
    <change> the check-in at the {hotel} to {checkin_date}
    <change> the name on <my_trip> from {person} to {person}
    <change> <my_trip> for {person} to {departure_date}
    we are {passengers:few} now, not {passengers:few}. can you change <my_trip> <leg>?
    we'd like to stay {nights:many} nights at the {hotel} instead of {nights:many}
    add {nights:many} nights to my stay at the {hotel}
    upgrade {person} to {seat_class:cabin} on <my_trip> <leg>
    can I take the {time:clock} train <leg> instead of the {time:clock}?
    could you add {person} to the booking at the {hotel}?
    <change> <my_trip> <route> from {seat_class:cabin} to {seat_class:cabin}
cancel_booking =
    <cancel> <my_trip> <route> <leave>
    <cancel> <my_trip> <leave> <route>
    <cancel> <my_trip> <route>
    <cancel> the booking <named>
    <cancel> the seats for {person} on <my_trip> <leg>
    <cancel> my room at the {hotel}
    <cancel> the room at the {hotel} from {checkin_date}
    <cancel> our {nights:many} nights in {city}
    <cancel> the hotel in {city} booked <named>
    <cancel> the {airline} flight [route leave]
    <cancel> the {time:clock} train <leg>
    <cancel> {passengers:few} of the seats on <my_trip> [leg leave]
    I can't travel to {destination} {departure_date:soon}. <cancel> everything for {person}
    I can't travel {departure_date:soon}. <cancel> <my_trip> <route>
check_status =
    <check> <my_trip> <leg> <leave>
    <check> the {airline} flight <leg>
    <check> the booking <named>
    <check> my room at the {hotel} in {city}
    is <my_trip> <route> on time?
    is the {time:clock} train <leg> delayed?
    is the {airline} flight from {origin} delayed?
    has {person} paid for the room at the {hotel}?
    is {person} booked in {seat_class:cabin} on the flight <leg>?
    do we still have {passengers:few} seats on the {time:clock} train to {destination}?
    is our room in {city} booked from {checkin_date} or from {checkin_date}?
    did you book {nights:many} nights at the {hotel} for {person}?
    does the train from {origin} get to {destination} before {time}?
    which day do I fly back from {origin}, {return_date} or {return_date}?
ask_price =
    how much is <one_flight> [route when? people? cabin_phrase?]? *2
    how much is <one_train> [route when? people?]? *2
    how much is a room [in_city stay guests?]?
    how much are {nights:many} nights at the {hotel} [guests?]?
    how much are {passengers:few} tickets <route> <when>?
    what does a {seat_class:seat} ticket <route> cost?
    what is the price of {passengers:few} seats [route leave] on {airline}?
    is there anything under {price} <route> <when>?
    can I get a room in {city} for less than {price}?
    does the {hotel} have rooms below {price}?
    what do you charge for {nights:many} nights in {city} from {checkin_date}?
    is {price} the best price for a flight <leg>?

opening =
    () *12 / hi, / hello, / hey, / good morning, / good evening, / hi there, / excuse me,
    dear team, / hello! / hi! / good afternoon! / one question: / quick question:
    it's for a business trip. / this is my first time here. / I'm new to this.
    sorry to bother you, / we are planning a city trip. / may I ask you something?
    I'm calling from our London office. / greetings from Lisbon!

    two things. / ok, / so,
closing =
    . *6 / () *5 / ! / , please. / , please / please / , thanks. / thanks / . Thank you!
    . Many thanks. / 🙏 / . Thanks 😊 / asap / ... / . Window seats if possible. / . No rush.
    . It's for one of my clients.
closing_question =
    ? *8 / () *2 / ?? / ? Thanks! / ? Thank you. / ? 🙏 / ? 😊 / ? Just asking.
""")


def calendar(value):
    """Returns (month, day) of a date that names both, else None."""
    words = value.replace("the ", "").replace("of ", "").split()
    months = [word for word in words if word in RULES["month"]]
    days = [word.rstrip("stndrh") for word in words if word[0].isdigit()]
    return (RULES["month"].index(months[0]), int(days[0])) if months and days else None
