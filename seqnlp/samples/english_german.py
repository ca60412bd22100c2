"""English sentences and their German translations, in the notation of `synchronous.py`.

A clause has a front (the finite verb, which stands second), given and new things between which
time and place stand, and an end; `final` is the verb of a subordinate clause. No English word
here has two translations that the sentence does not tell apart. The English "it" is er, sie or
es as the noun's gender asks.
"""

from seqnlp.samples.english_german_words import WORDS
from seqnlp.samples.german_words import KINDS
from seqnlp.samples.synchronous import parse_rules

_SENTENCES = """
sentence =
    <plain_present> *2 / <plain_future> / <timed_present> *4 / <timed_past> *6 / <timed_future> *2
    <question> *4 / <negation> *3 / <indirect> *3 / <reason> *3 / <condition> *2
    <attempt> *2 / <relative> *2 / <comparison>
plain_% [present future] =
    <s=subject> <p=predicate_%:@s> .^1
        | <s:nom> <p.front:@s> <p.given> <p.new> <p.end> .^1
timed_% [present past future] =
    <s=subject> <p=predicate_%:@s> <t=time_%> .^1
        | <s:nom> <p.front:@s> <p.given> <t> <p.new> <p.end> .^1
    <t=time_%> <s=subject> <p=predicate_%:@s> .^1
        | <t> <p.front:@s> <s:nom> <p.given> <p.new> <p.end> .^1
predicate_present (front given new end final) =
    <a=action:*>
        | <a.verb:finite.*> | <a.given> | <a.new> | <a.verb:particle> | <a.verb:joined.*> *2
    <m=modal:*> <a=action:base>
        | <m:*> | <a.given> | <a.new> | <a.verb:infinitive> | <a.verb:infinitive> <m:*>
    <be:*> <k=state> | <be:*> | () | <k> | () | <be:*>
predicate_past (front given new end final) =
    <a=action:past> | <a.verb:perfect.*> | <a.given> | <a.new> | <a.verb:participle>
        | <a.verb:participle> <a.verb:perfect.*> *5
    <be:past.*> <k=state> | <be:past.*> | () | <k> | () | <be:past.*>
predicate_future (front given new end final) =
    <will:*> <a=action:base> | <will:*> | <a.given> | <a.new> | <a.verb:infinitive>
        | <a.verb:infinitive> <will:*> *5
    <will:*> be^2 <k=state> | <will:*> | () | <k> | sein^2 | sein^2 <will:*>
question =
    <do:@s>^2 <s=party> <a=action:base> ?^1
        | <a.verb:finite.@s>~2 <s:nom> <a.given> <a.new> <a.verb:particle> ?^1
    <do:@s>^2 <s=party> <a=action:base> <t=time_present> ?^1
        | <a.verb:finite.@s>~2 <s:nom> <a.given> <t> <a.new> <a.verb:particle> ?^1
    <do:past>^2 <s=party> <a=action:base> <t=time_past> ?^1
        | <a.verb:perfect.@s>^2 <s:nom> <a.given> <t> <a.new> <a.verb:participle> ?^1
    <m=auxiliary:@s> <s=party> <a=action:base> ?^1
        | <m:@s> <s:nom> <a.given> <a.new> <a.verb:infinitive> ?^1
    <w=asking> <do:@s>^2 <s=party> <a=doing:base> ?^1
        | <w> <a.verb:finite.@s>~2 <s:nom> <a.given> <a.new> <a.verb:particle> ?^1
    <w=asking> <do:past>^2 <s=party> <a=doing:base> ?^1
        | <w> <a.verb:perfect.@s>^2 <s:nom> <a.given> <a.new> <a.verb:participle> ?^1
    what^3 <do:@s>^2 <s=party> <v=thing_verb:base> <w=place> ?^1
        | was^3 <v:finite.@s>~2 <s:nom> <w> <v:particle> ?^1
    who^3 <a=action:he> <t=time_present> ?^1
        | wer^3 <a.verb:finite.he> <a.given> <t> <a.new> <a.verb:particle> ?^1
negation =
    <s=subject> <do:@s>^2 not^3 <a=settled:base> .^1
        | <s:nom> <a.verb:finite.@s>~2 <a.given> nicht^3 <a.new> <a.verb:particle> .^1 *3
    <s=subject> <do:past>^2 not^3 <a=settled:base> .^1
        | <s:nom> <a.verb:perfect.@s>^2 <a.given> nicht^3 <a.new> <a.verb:participle> .^1 *3
    <s=subject> <a=refusal:@s> .^1
        | <s:nom> <a.verb:finite.@s> <a.new> <a.verb:particle> .^1 *4
indirect =
    <s=definite_person> <v=say:@s> that^2 <x=subject> <p=predicate_present:@x> .^1
        | <s:nom> <v:finite.@s> ,~2 dass^2 <x:nom> <p.given> <p.new> <p.final:@x> .^1
    <s=definite_person> <v=say:@s> that^2 <x=subject> <p=predicate_past:@x> <t=time_past> .^1
        | <s:nom> <v:finite.@s> ,~2 dass^2 <x:nom> <p.given> <t> <p.new> <p.final:@x> .^1
reason =
    <s=subject> <a=action:@s> because^2 <w=weather> .^1
        | <s:nom> <a.verb:finite.@s> <a.given> <a.new> <a.verb:particle> ,~2 weil^2 <w> .^1
    <s=subject> <v=gain:@s> <o=one> because^2 <i=it> <be:he> <k=quality> .^1
        | <s:nom> <v:finite.@s> <o:acc> <v:particle> ,~2 weil^2 <i:@o> <k> <be:he> .^1 *2
    <concession_male> *2 / <concession_female> *2
concession_% [male female] =
    <s=%> <a=action:@s> although^2 <x=%_pronoun> <be:@s> <k=state> .^1
        | <s:nom> <a.verb:finite.@s> <a.given> <a.new> <a.verb:particle>
        + ,~2 obwohl^2 <x> <k> <be:@s> .^1
    <s=%> <a=action:past> because^2 <x=%_pronoun> <be:past.@s> <k=state> .^1
        | <s:nom> <a.verb:perfect.@s> <a.given> <a.new> <a.verb:participle>
        + ,~2 weil^2 <x> <k> <be:past.@s> .^1
condition =
    if^2 <w=weather> ,^3 <s=subject> <p=predicate_present:@s> .^1
        | wenn^2 <w> ,^3 <p.front:@s> <s:nom> <p.given> <p.new> <p.end> .^1
attempt =
    <s=subject> <v=try:@s> to^2 <a=doing:base> .^1
        | <s:nom> <v:finite.@s> ,~2 <a.given> <a.new> <a.verb:zu>~2 .^1
    <t=time_past> <s=subject> <v=try:past> to^2 <a=doing:base> .^1
        | <t> <v:perfect.@s> <s:nom> <v:participle> ,~2 <a.given> <a.new> <a.verb:zu>~2 .^1
relative =
    <s=person_who> <p=predicate_present:@s> .^1
        | <s> <p.front:@s> <p.given> <p.new> <p.end> .^1
person_who =
    <s=person> <r=who>^2 <a=action:@s>
        | <s:nom> ,~2 <r:@s>^2 <a.given> <a.new> <a.verb:joined.@s> ,~2 => @s
comparison =
    <x=one> <be:@x> <c=comparative> than^2 <y=one> .^1
        | <x:nom> <be:@x> <c> als^2 <y:nom> .^1
"""

_PHRASES = """
subject =
    <party> *4 / <speaker>
party =
    <person> *2 / <name>
person =
    <definite_person> *5 / <some_person>
definite_person =
    <male> *3 / <female> *3 / <young> / <several>
male =
    <d=definite> <n=man> | <d:*.@n> <n:*> => @n he
    <d=definite> <a=look> <n=man> | <d:*.@n> <a:@d.*.@n> <n:*> => @n he
    <d=own> <n=kinsman> | <d:*.@n> <n:*> => @n he
    <d=own> <a=trait> <n=kinsman> | <d:*.@n> <a:@d.*.@n> <n:*> => @n he
female =
    <d=definite> <n=woman> | <d:*.@n> <n:*> => @n he
    <d=definite> <a=look> <n=woman> | <d:*.@n> <a:@d.*.@n> <n:*> => @n he
    <d=own> <n=kinswoman> | <d:*.@n> <n:*> => @n he
    <d=own> <a=trait> <n=kinswoman> | <d:*.@n> <a:@d.*.@n> <n:*> => @n he
young =
    <d=definite> <n=child> | <d:*.@n> <n:*> => @n he
    <d=definite> <a=trait> <n=child> | <d:*.@n> <a:@d.*.@n> <n:*> => @n he
several =
    <d=definite:plural> <n=adult:plural> | <d:*.plural> <n:*.plural> => plural they
    <d=definite:plural> <a=trait> <n=adult:plural>
        | <d:*.plural> <a:@d.*.plural> <n:*.plural> => plural they
    <d=own:plural> <n=kin:plural> | <d:*.plural> <n:*.plural> => plural they
some_person =
    <d=a> <a=trait> <n=adult> | <d:*.@n> <a:@d.*.@n> <n:*> => @n he
    <k=number> <a=trait> <n=adult:plural>
        | <k> <a:strong.*.plural> <n:*.plural> => plural they
look =
    <trait> *3 / <age>
adult =
    <man> / <woman> / <child>
kin =
    <kinsman> / <kinswoman>
one =
    <one_thing> *2 / <one_text> / <one_cloth> / <one_device>
one_% [thing text food cloth device drink] =
    <d=definite> <n=%> | <d:*.@n> <n:*> => @n he
    <d=own> <n=%> | <d:*.@n> <n:*> => @n he
    <d=definite> <a=%_look> <n=%> | <d:*.@n> <a:@d.*.@n> <n:*> => @n he
    <d=own> <a=%_look> <n=%> | <d:*.@n> <a:@d.*.@n> <n:*> => @n he
definite_% [thing text food cloth device] =
    <one_%> *3
    <d=definite:plural> <n=%:plural> | <d:*.plural> <n:*.plural>
    <d=own:plural> <a=%_look> <n=%:plural> | <d:*.plural> <a:@d.*.plural> <n:*.plural>
indefinite_% [thing text food cloth device] =
    <d=a> <n=%> | <d:*.@n> <n:*>
    <d=a> <a=%_look> <n=%> | <d:*.@n> <a:@d.*.@n> <n:*> *2
    <k=number> <n=%:plural> | <k> <n:*.plural>
    <k=number> <a=%_look> <n=%:plural> | <k> <a:strong.*.plural> <n:*.plural>
definite_drink =
    <one_drink>
indefinite_drink =
    <n=drink> | <n:*>
    <a=drink_look> <n=drink> | <a:strong.*.@n> <n:*> *2
    <k=number> <m=measure:plural> of~2 <n=drink> | <k> <m:plural.*>~2 <n:*>
action (verb given new) =
    <doing> *4 / <journey>
    <d=doing:*> <w=place> | <d.verb:*> | <d.given> | <w> <d.new> *2
doing (verb given new) =
    <settled_doing> *3 / <doing_some_thing> *2 / <doing_some_text> / <doing_some_food>
    <doing_some_cloth> / <doing_some_device> / <doing_some_drink>
    <v=give:*> <r=definite_person> <o=indefinite_thing> | <v:*> | <r:dat> | <o:acc> *2
    <v=busy:*> with^1 <r=definite_person> | <v:*> | () | mit^1 <r:dat>
settled (verb given new) =
    <settled_doing> *3 / <journey>
settled_doing (verb given new) =
    <doing_thing> *2 / <doing_text> / <doing_food> / <doing_cloth> / <doing_device> / <doing_drink>
    <v=meet:*> <o=definite_person> | <v:*> | <o:acc> | () *2
    <v=help:*> <o=definite_person> | <v:*> | <o:dat> | () *2
    <v=tidy:*> <d=definite> <n=room> | <v:*> | <d:acc.@n> <n:acc> | ()
    <v=give:*> <r=definite_person> <o=one_thing> | <v:*> | <r:dat> <o:acc> | () *2
    <v=wait:*> for^1 <o=definite_person> | <v:*> | () | auf^1 <o:acc>
doing_% [thing text food cloth device drink] (verb given new) =
    <v=%_verb:*> <o=definite_%> | <v:*> | <o:acc> | ()
doing_some_% [thing text food cloth device drink] (verb given new) =
    <v=%_verb:*> <o=indefinite_%> | <v:*> | () | <o:acc>
refusal (verb new) =
    <refusal_thing> *2 / <refusal_text> / <refusal_food> / <refusal_cloth>
refusal_% [thing text food cloth] (verb new) =
    <do:*>^2 not^3 <v=%_verb:base> <d=not_a>~3 <n=%> | <v:*>~2 | <d:acc.@n>^3 <n:acc>
    <do:*>^2 not^3 <v=%_verb:base> <d=not_a>~3 <a=%_look> <n=%>
        | <v:*>~2 | <d:acc.@n>^3 <a:mixed.acc.@n> <n:acc>
journey (verb given new) =
    <v=travel:*> to^1 <c=city> by^2 <m=vehicle> | <v:*> | () | mit^2 <m> nach^1 <c>
    <v=arrive:*> in^1 <c=city> | <v:*> | () | in^1 <c>
    <v=return:*> from^1 <c=city> | <v:*> | () | aus^1 <c>
state =
    <mood> / very^1 <mood> | sehr^1 <mood>
"""

_ADVERBS = """
asking =
    where^1 | wo^1 / when^1 | wann^1 / why^1 | warum^1
vehicle =
    train^1 | dem~1 Zug^1 / bus^1 | dem~1 Bus^1 / boat^1 | dem~1 Schiff^1 / bicycle^1 | dem~1 Rad^1
weather =
    it^1 rains^2 | es^1 regnet^2 / it^1 snows^2 | es^1 schneit^2
    it^1 is^2 cold^3 | es^1 kalt^3 ist^2 / it^1 is^2 very^4 hot^3 | es^1 sehr^4 heiß^3 ist^2
    it^1 is^2 late^3 | es^1 spät^3 ist^2 / it^1 is^2 already^4 dark^3 | es^1 schon^4 dunkel^3 ist^2
place =
    in^1 the~1 garden^2 | im^1 Garten^2 / in^1 the~1 park^2 | im^1 Park^2
    in^1 the~1 hotel^2 | im^1 Hotel^2 / in^1 the~1 museum^2 | im^1 Museum^2
    in^1 the~1 village^2 | im^1 Dorf^2 / in^1 the^3 city^2 | in^1 der^3 Stadt^2
    in^1 the^3 school^2 | in^1 der^3 Schule^2 / in^1 the^3 library^2 | in^1 der^3 Bibliothek^2
    in^1 front~1 of~1 the^3 house^2 | vor^1 dem^3 Haus^2
    behind^1 the^3 church^2 | hinter^1 der^3 Kirche^2
    next^1 to~1 the^3 bridge^2 | neben^1 der^3 Brücke^2
    under^1 the^3 tree^2 | unter^1 dem^3 Baum^2
    at^1 the~1 station^2 | am^1 Bahnhof^2 / at^1 the~1 beach^2 | am^1 Strand^2
    at^1 the^3 market^2 | auf^1 dem^3 Markt^2 / at^1 home^2 | zu^1 Hause^2
time_present =
    today^1 | heute^1 *2 / now^1 | jetzt^1 / every^1 day^2 | jeden^1 Tag^2
    on^1 <d=weekday> | am^1 <d> *3 / at^1 <k=hour> o'clock^2 | um^1 <k> Uhr^2 *3
    in^1 the~1 morning^2 | am^1 Morgen^2 / in^1 the~1 evening^2 | am^1 Abend^2
time_past =
    yesterday^1 | gestern^1 *3 / last^1 week^2 | letzte^1 Woche^2
    last^1 year^2 | letztes^1 Jahr^2
    last^1 <d=weekday> | letzten^1 <d> *3 / <k=number> days^1 ago^2 | vor^2 <k> Tagen^1 *2
    <k=number> weeks^1 ago^2 | vor^2 <k> Wochen^1
time_future =
    tomorrow^1 | morgen^1 *3 / next^1 week^2 | nächste^1 Woche^2
    next^1 year^2 | nächstes^1 Jahr^2
    next^1 <d=weekday> | nächsten^1 <d> *3 / soon^1 | bald^1
    in^1 <k=number> days^2 | in^1 <k> Tagen^2 *2
weekday : plain =
    Monday | Montag / Tuesday | Dienstag / Wednesday | Mittwoch / Thursday | Donnerstag
    Friday | Freitag / Saturday | Samstag / Sunday | Sonntag
hour : plain =
    six | sechs / seven | sieben / eight | acht / nine | neun / ten | zehn / eleven | elf
"""

RULES = parse_rules(_SENTENCES + _PHRASES + _ADVERBS + WORDS, KINDS)
