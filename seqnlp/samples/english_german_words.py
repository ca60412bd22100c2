"""The lexicon of `english_german.py`: every entry is of a kind of `german_words.KINDS`."""

WORDS = """
definite : determiner =
    the | d *4 / this these | dies
own : determiner =
    the | d / my | mein *2 / our | unser *2 / his | sein / her | ihr
a : determiner =
    a | ein
not_a : determiner =
    a~1 | kein
number : free =
    two | zwei / three | drei / four | vier / five | fünf / six | sechs
name : name =
    Anna | Anna f / Julia | Julia f / Maria | Maria f / Sophie | Sophie f / Laura | Laura f
    Peter | Peter m / Thomas | Thomas m / Felix | Felix m / Jonas | Jonas m / Martin | Martin m
speaker : speaker =
    I | ich i / we | wir we / they | sie they
male_pronoun : free =
    he | er
female_pronoun : free =
    she | sie
it : pronoun =
    it | er sie es
who : pronoun =
    who | der die das die
man : noun =
    man men | Mann Männer m / king kings | König Könige m
    waiter waiters | Kellner Kellner m / prince princes | Prinz Prinzen m weak
    policeman policemen | Polizist Polizisten m weak / actor actors | Schauspieler Schauspieler m
kinsman : noun =
    father fathers | Vater Väter m / brother brothers | Bruder Brüder m
    uncle uncles | Onkel Onkel m / grandfather grandfathers | Großvater Großväter m
woman : noun =
    woman women | Frau Frauen f / queen queens | Königin Königinnen f
    waitress waitresses | Kellnerin Kellnerinnen f
    princess princesses | Prinzessin Prinzessinnen f
    policewoman policewomen | Polizistin Polizistinnen f
    actress actresses | Schauspielerin Schauspielerinnen f
kinswoman : noun =
    mother mothers | Mutter Mütter f / sister sisters | Schwester Schwestern f
    aunt aunts | Tante Tanten f / grandmother grandmothers | Großmutter Großmütter f
child : noun =
    child children | Kind Kinder n / boy boys | Junge Jungen m weak
    girl girls | Mädchen Mädchen n
age : adjective =
    old | alt / young | jung
trait : adjective =
    tall | groß / clever | klug / friendly | freundlich / rich | reich
    poor | arm / famous | berühmt
mood : adjective =
    tired | müde / happy | glücklich / sad | traurig / hungry | hungrig / nervous | nervös
    ill | krank / thirsty | durstig
quality : adjective =
    cheap | billig / beautiful | schön / new | neu / practical | praktisch
comparative : adjective =
    cheaper | billiger / older | älter / newer | neuer / bigger | größer / smaller | kleiner
    heavier | schwerer / more~1_expensive | teurer / more~1_beautiful | schöner
thing : noun =
    key keys | Schlüssel Schlüssel m / ball balls | Ball Bälle m / bag bags | Tasche Taschen f
    picture pictures | Bild Bilder n / bicycle bicycles | Fahrrad Fahrräder n
    umbrella umbrellas | Regenschirm Regenschirme m / candle candles | Kerze Kerzen f
    table tables | Tisch Tische m / chair chairs | Stuhl Stühle m / knife knives | Messer Messer n
    bottle bottles | Flasche Flaschen f / guitar guitars | Gitarre Gitarren f
    clock clocks | Uhr Uhren f / mirror mirrors | Spiegel Spiegel m / boat boats | Boot Boote n
    suitcase suitcases | Koffer Koffer m / flower flowers | Blume Blumen f
text : noun =
    book books | Buch Bücher n / letter letters | Brief Briefe m / poem poems | Gedicht Gedichte n
    newspaper newspapers | Zeitung Zeitungen f / novel novels | Roman Romane m
    postcard postcards | Postkarte Postkarten f
food : noun =
    apple apples | Apfel Äpfel m / cake cakes | Kuchen Kuchen m / egg eggs | Ei Eier n
    soup soups | Suppe Suppen f / pear pears | Birne Birnen f
    potato potatoes | Kartoffel Kartoffeln f
    roll rolls | Brötchen Brötchen n / sausage sausages | Wurst Würste f
cloth : noun =
    hat hats | Hut Hüte m / coat coats | Mantel Mäntel m / dress dresses | Kleid Kleider n
    shirt shirts | Hemd Hemden n / jacket jackets | Jacke Jacken f / skirt skirts | Rock Röcke m
device : noun =
    lamp lamps | Lampe Lampen f / radio radios | Radio Radios n
    machine machines | Maschine Maschinen f
    television televisions | Fernseher Fernseher m / computer computers | Computer Computer m
    camera cameras | Kamera Kameras f
drink : noun =
    coffee coffees | Kaffee Kaffees m / tea teas | Tee Tees m / milk milks | Milch Milch f
    water waters | Wasser Wasser n / juice juices | Saft Säfte m
measure : noun =
    cup cups | Tasse Tassen f / bottle bottles | Flasche Flaschen f
room : noun =
    kitchen kitchens | Küche Küchen f / office offices | Büro Büros n
    cellar cellars | Keller Keller m / garage garages | Garage Garagen f
thing_look : adjective =
    new | neu / old | alt / big | groß / small | klein / red | rot / blue | blau / green | grün
    white | weiß / black | schwarz / beautiful | schön / heavy | schwer / cheap | billig
    expensive | teur teuer
text_look : adjective =
    new | neu / old | alt / long | lang / short | kurz / interesting | interessant
food_look : adjective =
    fresh | frisch / big | groß / small | klein
cloth_look : adjective =
    new | neu / red | rot / blue | blau / green | grün / white | weiß / black | schwarz
    yellow | gelb / warm | warm / expensive | teur teuer
device_look : adjective =
    new | neu / old | alt / small | klein / cheap | billig / expensive | teur teuer
drink_look : adjective =
    hot | heiß / cold | kalt / fresh | frisch
thing_verb : verb =
    buy buys bought | kaufen kauft gekauft *2 / sell sells sold | verkaufen verkauft verkauft
    find finds found | finden findet gefunden / need needs needed | brauchen braucht gebraucht
    look looks looked for^2 | suchen sucht gesucht
    hide hides hid | verstecken versteckt versteckt
    lose loses lost | verlieren verliert verloren
    bring brings brought along^2 | mit-bringen bringt mitgebracht
    pick picks picked up^2 | auf-heben hebt aufgehoben
    throw throws threw away^2 | weg-werfen wirft weggeworfen
    pack packs packed | ein-packen packt eingepackt / clean cleans cleaned | putzen putzt geputzt
text_verb : verb =
    read reads read | lesen liest gelesen *2 / write writes wrote | schreiben schreibt geschrieben
    translate translates translated | übersetzen übersetzt übersetzt
    read reads read aloud^2 | vor-lesen liest vorgelesen
    copy copies copied | ab-schreiben schreibt abgeschrieben
food_verb : verb =
    eat eats ate | essen isst gegessen / share shares shared | teilen teilt geteilt
    taste tastes tasted | probieren probiert probiert
    order orders ordered | bestellen bestellt bestellt
cloth_verb : verb =
    wear wears wore | tragen trägt getragen / put puts put on^2 | an-ziehen zieht angezogen
    take takes took off^2 | aus-ziehen zieht ausgezogen
    wash washes washed | waschen wäscht gewaschen
    try tries tried on^2 | an-probieren probiert anprobiert
device_verb : verb =
    turn turns turned on^2 | ein-schalten schaltet eingeschaltet
    turn turns turned off^2 | aus-schalten schaltet ausgeschaltet
    repair repairs repaired | reparieren repariert repariert
drink_verb : verb =
    drink drinks drank | trinken trinkt getrunken
    order orders ordered | bestellen bestellt bestellt
gain : verb =
    buy buys bought | kaufen kauft gekauft
    bring brings brought along^2 | mit-bringen bringt mitgebracht
    look looks looked for^2 | suchen sucht gesucht / need needs needed | brauchen braucht gebraucht
meet : verb =
    visit visits visited | besuchen besucht besucht / greet greets greeted | grüßen grüßt gegrüßt
    invite invites invited | ein-laden lädt eingeladen
    call calls called | an-rufen ruft angerufen
    see sees saw | sehen sieht gesehen / meet meets met | treffen trifft getroffen
help : verb =
    help helps helped | helfen hilft geholfen / thank thanks thanked | danken dankt gedankt
    follow follows followed | folgen folgt gefolgt sein
    listen listens listened to^2 | zu-hören hört zugehört
tidy : verb =
    tidy tidies tidied up^2 | auf-räumen räumt aufgeräumt
    paint paints painted | streichen streicht gestrichen
wait : verb =
    wait waits waited | warten wartet gewartet
give : verb =
    give gives gave | geben gibt gegeben / show shows showed | zeigen zeigt gezeigt
    send sends sent | schicken schickt geschickt / lend lends lent | leihen leiht geliehen
busy : verb =
    dance dances danced | tanzen tanzt getanzt / work works worked | arbeiten arbeitet gearbeitet
    sing sings sang | singen singt gesungen / play plays played | spielen spielt gespielt
travel : verb =
    travel travels travelled | reisen reist gereist sein
arrive : verb =
    arrive arrives arrived | an-kommen kommt angekommen sein
return : verb =
    come comes came back^2 | zurück-kommen kommt zurückgekommen sein
say : verb =
    say says said | sagen sagt gesagt / believe believes believed | glauben glaubt geglaubt
    think thinks thought | denken denkt gedacht / hope hopes hoped | hoffen hofft gehofft
try : verb =
    try tries tried | versuchen versucht versucht
    forget forgets forgot | vergessen vergisst vergessen
    begin begins began | beginnen beginnt begonnen
    promise promises promised | versprechen verspricht versprochen
modal : modal =
    can can could | können kann / must must must | müssen muss
    want wants wanted to~1 | wollen will
    should should should | sollten sollte
auxiliary : modal =
    can can could | können kann / will will would | werden wird werde
    should should should | sollten sollte
will : modal =
    will will would | werden wird werde
be : be =
    be | sein
do : do =
    do does did | ()
city : plain =
    Berlin | Berlin / Paris | Paris / London | London / Hamburg | Hamburg / Vienna | Wien
    Munich | München / Cologne | Köln / Rome | Rom / Prague | Prag
"""
