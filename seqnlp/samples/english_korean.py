"""English sentences and their Korean translations, in the notation of `synchronous.py`.

A clause has arguments and a verb, which ends it; place, means and people come before the
object, clauses before what they belong to. What English calls "the" is the topic of its clause,
what it calls "a" the subject. Articles and "of" have no Korean word of their own: their links
to what they stand with are possible ones.
"""

from seqnlp.samples.english_korean_words import WORDS
from seqnlp.samples.korean_words import KINDS
from seqnlp.samples.synchronous import parse_rules

_SENTENCES = """
sentence =
    <plain_present> *3 / <plain_future> / <timed_present> *4 / <timed_past> *6 / <timed_future> *3
    <frequent> / <question> *4 / <indirect> *3 / <reason> *3 / <condition> *3 / <relative> *3
    <bought> *2
    <existence> *2 / <profession>
plain_% [present future] =
    <s=subject> <p=predicate_%:@s> .^1 | <s:@s> <p.args> <p.verb> .^1
timed_% [present past future] =
    <s=subject> <p=predicate_%:@s> <t=time_%> .^1 | <s:@s> <t> <p.args> <p.verb> .^1
    <t=time_%> <s=subject> <p=predicate_%:@s> .^1 | <t> <s:@s> <p.args> <p.verb> .^1
frequent =
    <s=subject> <f=frequency> <a=action:@s> .^1 | <s:@s> <a.args> <f> <a.verb:present> .^1
predicate_present (args verb) =
    <a=action:*> | <a.args> | <a.verb:present> *4
    <d=do:*>^2 not^3 <a=action:base> | <a.args> | <a.verb:negative> 않아요^3~2 *2
    <w=want:*> to~2 <a=action:base> | <a.args> | <a.verb:want>~2 <w:*>
    can^2 <a=action:base> | <a.args> | <a.verb:future> 수^2 있어요^2
    must^2 <a=action:base> | <a.args> | <a.verb:must> 해요^2
    <b=be:*>^2 <k=state> | () | <k:present>~2
    <b=be:*>^2 very^3 <k=state> | 아주^3 | <k:present>~2
predicate_past (args verb) =
    <a=action:past> | <a.args> | <a.verb:past> *6
    did^2 not^3 <a=action:base> | <a.args> | <a.verb:negative> 않았어요^3~2 *2
    <b=be:past.*>^2 <k=state> | () | <k:past>~2
    <b=be:past.*>^2 very^3 <k=state> | 아주^3 | <k:past>~2
predicate_future (args verb) =
    will^2 <a=action:base> | <a.args> | <a.verb:future> 거예요^2
    will^2 not^3 <a=action:base> | <a.args> | <a.verb:negative> 않을^3 거예요^2
question =
    <d=do:@s>^2 <s=party> <a=action:base> ?^1 | <s:subject> <a.args> <a.verb:present>~2 ?^1
    <d=do:@s>^2 <s=party> <a=action:base> <t=time_present> ?^1
        | <s:subject> <t> <a.args> <a.verb:present>~2 ?^1
    did^2 <s=party> <a=action:base> <t=time_past> ?^1
        | <s:subject> <t> <a.args> <a.verb:past>~2 ?^1
    will^2 <s=party> <a=action:base> <t=time_future> ?^1
        | <s:subject> <t> <a.args> <a.verb:future> 거예요^2 ?^1
    can^2 <s=party> <a=action:base> ?^1
        | <s:subject> <a.args> <a.verb:future> 수^2 있어요^2 ?^1
    <w=asking> <d=do:@s>^2 <s=party> <a=doing:base> ?^1
        | <s:@s> <w> <a.args> <a.verb:present>~2 ?^1
    <w=asking> did^2 <s=party> <a=doing:base> ?^1 | <s:@s> <w> <a.args> <a.verb:past>~2 ?^1
    what^3 <d=do:@s>^2 <s=party> <v=thing_verb:base> <w=place> ?^1
        | <s:@s> <w> 무엇을^3 <v:present>~2 ?^1
    what^3 did^2 <s=party> <v=thing_verb:base> <w=place> ?^1
        | <s:@s> <w> 무엇을^3 <v:past>~2 ?^1
    who^3 <a=action:he> <t=time_present> ?^1 | 누가^3 <t> <a.args> <a.verb:present> ?^1
indirect =
    <s=someone> <v=say:@s> that^2 <x=party> <a=action:@x> .^1
        | <s:@s> <x:subject> <a.args> <a.verb:that>~2 <v:present> .^1 *2
    <s=someone> <v=say:@s> that^2 <x=party> <b=be:@x>^3 very^4 <k=state> .^1
        | <s:@s> <x:subject> 아주^4 <k:that>~2~3 <v:present> .^1
reason =
    <s=subject> <a=action:@s> because^2 <w=weather> .^1
        | <s:@s> <w.because>~2 <a.args> <a.verb:present> .^1
    because^2 <w=weather> , <s=subject> <p=predicate_present:@s> .^1
        | <w.because>~2 <s:@s> <p.args> <p.verb> .^1
    <reason_male> / <reason_female>
reason_% [male female] =
    <s=%> <a=action:@s> because^2 <x=%_pronoun>~3 <b=be:@s>^4 <k=state>^3 .^1
        | <s:@s> <k:because>^3~2~4 <a.args> <a.verb:present> .^1
    <s=%> <a=action:past> because^2 <x=%_pronoun>~3 <b=be:past.@s>^4 <k=state>^3 .^1
        | <s:@s> <k:because>^3~2~4 <a.args> <a.verb:past> .^1
condition =
    if^2 <w=weather> , <s=subject> <p=predicate_present:@s> .^1
        | <w.if>~2 <s:@s> <p.args> <p.verb> .^1
    <s=subject> <p=predicate_future:@s> if^2 <w=weather> .^1
        | <w.if>~2 <s:@s> <p.args> <p.verb> .^1
relative =
    <s=person_who> <b=be:@s>^2 very^3 <k=state> .^1 | <s:topic> 아주^3 <k:present>~2 .^1
    <s=person_who> <p=predicate_present:@s> .^1 | <s:topic> <p.args> <p.verb> .^1
    the~2 <x=adult> who^3 <a=action:he> is^5 a~4 <j=job> .^1
        | <a.args> <a.verb:who>~3 <x:topic>^2 <j:copula>^4~5 .^1
person_who =
    the~2 <n=people> who^3 <a=action:he> | <a.args> <a.verb:who>~3 <n:*>^2 => he
    the~2 <n=people> who^3 <a=action:past> | <a.args> <a.verb:who_did>~3 <n:*>^2 => he
bought =
    <bought_thing> *2 / <bought_text> / <bought_cloth>
bought_% [thing text cloth] =
    the~2 <n=%> that^3 <s=party> <v=%_verb:past> is^4 very^5 <k=quality> .^1
        | <s:subject> <v:who_did>~3 <n:topic>^2 아주^5 <k:present>~4 .^1
    this^2 <n=%> is~4 <c=comparative>^4 than^3 that^6 <m=%> .^1
        | 이^2 <n:topic> 그^6 <m:than>~3 <c>~4 .^1
existence =
    there~2 is^2 a~4 <n=animal> <w=spot> .^1 | <w> <n:subject>^4 있어요^2 .^1
    there~2 are^2 <k=number> <n=animal:plural> <w=spot> .^1
        | <w> <n> <k> <n:counter.subject> 있어요^2 .^1
    <existence_thing> *2 / <existence_text> *2
existence_% [thing text] =
    there~2 is^2 a~4 <a=%_look> <n=%> <w=spot> .^1 | <w> <a> <n:subject>^4 있어요^2 .^1
    there~2 are^2 <k=number> <n=%:plural> <w=spot> .^1
        | <w> <n> <k> <n:counter.subject> 있어요^2 .^1
    there~2 are^2 <k=number> <a=%_look> <n=%:plural> <w=spot> .^1
        | <w> <a> <n> <k> <n:counter.subject> 있어요^2 .^1
profession =
    <s=identity> <b=be:@s>^2 a~3 <a=trait> <n=job> .^1 | <s:@s> <a> <n:copula>^3~2 .^1
    <s=identity> <b=be:@s>^2 not^4 a~3 <n=job> .^1 | <s:@s> <n:subject>^3 아니에요^4~2 .^1
"""

_PHRASES = """
subject =
    <party> *5 / <speaker>
party =
    <someone> *2 / <name> / <somebody>
someone =
    the~2 <n=people> | <n:*>^2 => he topic *2
    the~2 <a=trait> <n=people> | <a> <n:*>^2 => he topic *2
    <d=pointer> <n=people> | <d> <n:*> => he topic
    <d=pointer> <a=trait> <n=people> | <d> <a> <n:*> => he topic
    <d=owner> <n=relation> | <d> <n:*> => he topic *2
    the~2 <n=people:plural> | <n:plural.*>^2 => they topic
    the~2 <a=trait> <n=people:plural> | <a> <n:plural.*>^2 => they topic
identity =
    <name> *2
    <d=pointer> <n=adult> | <d> <n:*> => he topic
    <d=owner> <n=relation> | <d> <n:*> => he topic *2
somebody =
    a~2 <a=trait> <n=people> | <a> <n:*>^2 => he subject
    <k=number> <n=people:plural> | <n> <k> <n:counter.*> => they subject
    <k=number> <a=trait> <n=people:plural> | <a> <n> <k> <n:counter.*> => they subject
male =
    the~2 <n=man> | <n:*>^2 => he topic
    the~2 <a=trait> <n=man> | <a> <n:*>^2 => he topic
    <d=owner> <n=kinsman> | <d> <n:*> => he topic
female =
    the~2 <n=woman> | <n:*>^2 => he topic
    the~2 <a=trait> <n=woman> | <a> <n:*>^2 => he topic
    <d=owner> <n=kinswoman> | <d> <n:*> => he topic
people =
    <job> *3 / <adult>
adult =
    <man> / <woman>
relation =
    <kinsman> / <kinswoman> / <friend>
object_% [thing text food cloth drink] =
    the~2 <n=%> | <n:*>^2
    the~2 <a=%_look> <n=%> | <a> <n:*>^2
    <d=pointer> <a=%_look> <n=%> | <d> <a> <n:*>
    <d=owner> <n=%> | <d> <n:*>
    <some_%> *4
object_shoe =
    the~2 <n=shoe> | <n:*>^2
    the~2 <a=cloth_look> <n=shoe> | <a> <n:*>^2
    <d=owner> <n=shoe> | <d> <n:*>
    <k=number> <p=pair:plural> of~2 <n=shoe> | <n> <k> <p:*>~2
some_% [thing text food cloth] =
    a~2 <n=%> | <n:*>^2
    a~2 <a=%_look> <n=%> | <a> <n:*>^2 *2
    <k=number> <n=%:plural> | <n> <k> <n:counter.*>
    <k=number> <a=%_look> <n=%:plural> | <a> <n> <k> <n:counter.*>
    a~3 <n=%> and^2 a~4 <m=%> | <n:with>^3~2 <m:*>^4
action (args verb) =
    <doing> *3 / <journey>
    <d=doing:*> <w=place> | <w> <d.args> | <d.verb:*> *2
doing (args verb) =
    <doing_thing> *3 / <doing_text> *2 / <doing_food> *2 / <doing_cloth> / <doing_shoe>
    <doing_drink>
    <v=meet:*> <o=someone> | <o:object> | <v:*> *3
    <v=meet:*> <o=name> | <o:object> | <v:*>
    <v=give:*> <r=someone> <o=object_thing> | <r:recipient> <o:object> | <v:*> *2
    <v=give:*> <r=name> <o=object_text> | <r:recipient> <o:object> | <v:*>
    <v=busy:*> with^1 <r=someone> | <r:with> 함께^1 | <v:*>
    <v=busy:*> with^1 <r=name> | <r:with> 함께^1 | <v:*>
    <v=listen:*> <o=sound> | <o:object> | <v:*>
    <v=watch:*> <o=show> | <o:object> | <v:*>
    <v=perform:*> <o=pastime> | <o:object> | <v:*>
    <v=learn:*> <o=subject_taught> | <o:object> | <v:*>
    <v=teach:*> <r=someone> <o=subject_taught> | <r:recipient> <o:object> | <v:*>
    <v=write:*> a~2 <o=text> with^1 a~3 <m=tool> | <m:means>^3~1 <o:object>^2 | <v:*>
doing_% [thing text food cloth shoe drink] (args verb) =
    <v=%_verb:*> <o=object_%> | <o:object> | <v:*>
some_drink =
    <n=drink> | <n:*>
    <a=drink_look> <n=drink> | <a> <n:*>
    <k=number> <m=measure:plural> of~2 <n=drink> | <n> <k> <m:*>~2
journey (args verb) =
    <v=go:*> to~2 <c=city> by^1 <m=long_vehicle> | <m:means>~1 <c:to>~2 | <v:*> *2
    <v=go:*> to~2 the~2 <c=location> by^1 <m=short_vehicle> | <m:means>~1 <c:to>^2 | <v:*>
    <v=go:*> to~2 the~2 <c=location> with^1 <r=someone> | <r:with> 함께^1 <c:to>^2 | <v:*>
place =
    at~1 the~1 <n=location> | <n:at>^1 *6 / at~1 home^1 | 집에서^1
    in~1 <n=city> | <n:at>^1 *2
spot =
    <r=side> the~1 <n=furniture> | <n>^1 <r>
"""

_ADVERBS = """
asking =
    where^1 | 어디에서^1 / when^1 | 언제^1 / why^1 | 왜^1
comparative =
    more^1 expensive^2 | 더^1 비싸요^2 / cheaper^1 | 더~1 싸요^1 / bigger^1 | 더~1 커요^1
    smaller^1 | 더~1 작아요^1 / heavier^1 | 더~1 무거워요^1 / prettier^1 | 더~1 예뻐요^1
    better^1 | 더~1 좋아요^1
weather (because if) =
    it^1 rains^2 | 비가^1 와서^2 | 비가^1 오면^2 / it^1 snows^2 | 눈이^1 와서^2 | 눈이^1 오면^2
    the~1 weather^1 is~2 good^2 | 날씨가^1 좋아서^2 | 날씨가^1 좋으면^2
    the~1 weather^1 is~2 cold^2 | 날씨가^1 추워서^2 | 날씨가^1 추우면^2
    the~1 weather^1 is~2 very^3 hot^2 | 날씨가^1 아주^3 더워서^2 | 날씨가^1 아주^3 더우면^2
time_present =
    today^1 | 오늘^1 *2 / now^1 | 지금^1 / every~1 day^1 | 매일^1 / these~1 days^1 | 요즘^1
    on~1 <d=weekday> | <d:to>^1 *4 / in~1 the~1 morning^1 | 아침에^1
    in~1 the~1 evening^1 | 저녁에^1
    at~1 <k=hour> o'clock^1 | <k> 시에^1 *3 / this^1 week^2 | 이번^1 주에^2
    after^1 lunch^2 | 점심^2 식사~2 후에^1 / before^1 breakfast^2 | 아침^2 식사~2 전에^1
time_past =
    yesterday^1 | 어제^1 *3 / last~1 week^1 | 지난주에^1 / last~1 month^1 | 지난달에^1
    last~1 year^1 | 작년에^1 / two^1 days~1 ago^2 | 이틀^1 전에^2
    last^1 weekend^2 | 지난^1 주말에^2 / last~1 night^1 | 어젯밤에^1
    two^1 months^2 ago^3 | 두^1 달^2 전에^3 / three^1 years^2 ago^3 | 삼^1 년^2 전에^3
    a~1 week^1 ago^2 | 일주일^1 전에^2
time_future =
    tomorrow^1 | 내일^1 *3 / next^1 week^2 | 다음^1 주에^2 / next^1 month^2 | 다음^1 달에^2
    next~1 year^1 | 내년에^1 / this^1 weekend^2 | 이번^1 주말에^2 / tonight^1 | 오늘~1 밤에^1
    on~3 <d=weekday> next^1 week^2 | 다음^1 주^2 <d:to>^3 *2
"""

RULES = parse_rules(_SENTENCES + _PHRASES + _ADVERBS + WORDS, KINDS)
