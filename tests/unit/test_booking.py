"""What a call's words amount to: booked, not booked, or not settled, and the words that say so."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.booking import ENGINE, decide

LAYER = Path(__file__).parents[2] / "layers" / "calls"
SAMPLE_CALLS = Path(__file__).parents[2] / "local" / "conversations"


Turns = list[dict[str, Any]]


def turns_of(script: str) -> Turns:
    """Turn "C: hello" and "A: hello" lines into turns."""
    speakers = {"C": "caller", "A": "agent"}
    lines = [line.strip().split(": ", 1) for line in script.strip().splitlines()]
    return [{"speaker": speakers[who], "text": text} for who, text in lines]


def as_recognised(turns: Turns) -> Turns:
    """Give the turns as speech recognition without case and punctuation would."""
    kept = [
        "".join(letter for letter in turn["text"].lower() if letter.isalnum() or letter in " ':")
        for turn in turns
    ]
    return [turn | {"text": text} for turn, text in zip(turns, kept, strict=True)]


BOOKED = {
    "dentist, slot offered and taken": """
        A: Smile Studio, Karen speaking.
        C: Hi, I need to get a check-up, it's been ages.
        A: I've got Monday at 9 or Wednesday at 2.
        C: Wednesday at 2 is fine.
        A: Lovely, I'll pop you in for Wednesday at two. What's the surname?
        C: Abbott.
        A: Great, see you then.
        C: Bye.""",
    "asked for and given, and no more": """
        C: I need an appointment.
        A: Okay, you're booked in for tomorrow at 3 pm.""",
    "asked for with a day, and given a time": """
        C: Could I see Dr. Bell on Monday?
        A: Nine fifteen, you're booked in.
        C: Thanks.""",
    "a dog's shots, in a word": """
        C: Can I bring the dog in on Friday for his shots?
        A: Sure, Friday at ten, I've put him down.
        C: Thanks, bye.""",
    "the plainest booking": """
        A: How can I help you?
        C: I'd like to book a cleaning, please.
        A: We have Tuesday at three, would that suit you?
        C: Yes, Tuesday at three is great.
        A: You're all booked for Tuesday at 3 pm. See you then!""",
    "the plainest booking, with a goodbye": """
        A: Hello, Main Street Dental.
        C: Hi, I'd like to make an appointment for a check-up.
        A: How about Thursday at 10?
        C: That works.
        A: Great, you're booked for Thursday at 10. See you then.
        C: Thanks, bye.""",
    "physio, caller names the time": """
        A: Back in Motion, hello.
        C: Could I book an appointment with Rachel for tomorrow at 11?
        A: Let me check. Yes, eleven's free. Shall I put you down?
        C: Yes please.
        A: Okay, that's all booked for you, Mr. Osei.
        C: Ta, bye.""",
    "doctor, first refusal then another time": """
        A: Elm Road Surgery.
        C: I'd like to see the doctor today if possible, I've a chest infection.
        A: We're fully booked today I'm afraid. I could do tomorrow at 8:40 with Dr. Singh.
        C: Okay, I'll take that.
        A: So you're booked in for 8:40 tomorrow with Dr. Singh.
        C: Thank you.""",
    "vet, for an animal": """
        A: Greenfield Vets.
        C: My dog Biscuit needs his booster, can we come in this week?
        A: We can see him Friday at 4:15.
        C: Perfect.
        A: All done, Biscuit's booked in for Friday at quarter past four.
        C: Brilliant, see you Friday.""",
    "paediatrician, today": """
        A: Children's clinic, good morning.
        C: My daughter has had a fever for three days and I want somebody to look at her.
        A: How old is she? We have a slot at 11:20 this morning.
        C: She's two. Yes, we can make that.
        A: Okay I've put her in for 11:20. Come to the side entrance.
        C: Thanks so much.""",
    "the slot changes before the end": """
        A: Hello, Bright Dental.
        C: I'd like to make an appointment for a filling.
        A: Thursday at 10?
        C: Yes, okay.
        A: Right, you're booked for Thursday at 10.
        C: Oh wait, actually could we make it 11 instead?
        A: Sure, I've changed it to 11. See you Thursday.
        C: Thanks.""",
    "a wait list for something earlier too": """
        A: Derm clinic.
        C: I need an appointment for a mole that changed.
        A: The earliest is March 30th at 1 pm.
        C: Okay, book it.
        A: You're scheduled for March 30th at 1 pm. I'll also add you to the waitlist in case.
        C: Great, thank you.""",
    "the caller asks about parking after": """
        A: City Physio.
        C: Hi, can I get in to see someone for my back?
        A: Tuesday at half past three with Jo?
        C: That works.
        A: Done, that's in the diary. Anything else?
        C: No, that's all. Do you have parking?
        A: No, sorry, we don't have any spaces free on site.
        C: Okay, bye.""",
    "a hurried slot, no time to spell it out": """
        A: Family practice.
        C: My toddler has an ear infection I think. Anything today?
        A: We can squeeze you in at 1:15.
        C: We'll be there.
        A: Okay, 1:15 then. What's the name?
        C: Theo Park.
        A: See you at 1:15.
        C: Thanks.""",
    "uh and um": """
        A: Dental office, how may I help you?
        C: Yeah hi, um, I was wondering if I could, uh, get an appointment to get my teeth cleaned.
        A: Sure, um, we have next Monday the 12th at, uh, 2:30 or 4.
        C: Let's go with 4.
        A: Four o'clock, okay, and the name?
        C: Rivera.
        A: All right, Mr. Rivera, we'll see you on the 12th at 4.
        C: Thank you, bye.""",
    "a surgery for a cat": """
        A: Greenfield Vets.
        C: I'd like to book my cat in for her spay.
        A: We do those on Tuesdays. The 14th?
        C: Works for me.
        A: So I have Luna coming in on the 14th, drop off at 8, no food after midnight.
        C: Got it.
        A: Great, we'll see Luna then.""",
    "a cancellation is free": """
        A: Smile Studio.
        C: I'm calling about a check-up.
        A: I've got a cancellation at 12 today actually, any good?
        C: Oh brilliant, yes.
        A: I'll put your name on that then. What is it?
        C: Jon Hale.
        A: Right Jon, see you at 12.""",
    "one cancelled, another made": """
        A: Bright Dental.
        C: I need to cancel my appointment on Friday and then book another one for my wife.
        A: Okay, I've cancelled yours. For your wife I've got Friday at 3.
        C: Yes, she can do that.
        A: Great, I've booked her in for Friday at 3.
        C: Thanks.""",
    "a receptionist's whole routine": """
        A: Thank you for calling Bright Smile Dental, this is Sarah, how may I help you?
        C: Hi Sarah, I'd like to schedule a cleaning, please.
        A: Of course! Are you a new patient or have you been with us before?
        C: I've been there before. It's Laura Benson.
        A: Thanks, Laura. I have Thursday the 14th at 2:30 or Friday the 15th at 9. Which works better?
        C: Thursday at 2:30 would be great.
        A: Perfect, I have you scheduled for Thursday the 14th at 2:30 with Dr. Chen.
        C: Wonderful, thank you.
        A: You're welcome. Please call us 24 hours ahead if you need to cancel or reschedule.""",
    "an interruption and a correction": """
        A: City Physio, Jo speaking.
        C: Hi, it's my knee again, could I, uh, could I come in on
        A: Sure, I've got Tuesday at
        C: on Thursday, sorry, Thursday afternoon if there's anything.
        A: Thursday at 3:15 is free.
        C: Three fifteen, yes, I'll take it.
        A: Okay, I've put you down for Thursday at 3:15.
        C: Great, thanks.""",
    "turned down twice, then taken": """
        A: Elm Road Surgery, good morning.
        C: I need an appointment with a doctor, it's my ear.
        A: I've got nine tomorrow.
        C: I can't do mornings, sorry.
        A: Two on Friday?
        C: No, I'm in court all Friday.
        A: Monday at 5:10?
        C: Monday's perfect.
        A: Lovely, you're booked in for Monday at 5:10.
        C: Thank you, bye.""",
    "an hour later than was offered": """
        A: Hello.
        C: I need to see the dentist about a tooth.
        A: Tuesday at ten?
        C: Can we make it eleven instead of ten?
        A: Sure, you're booked in for eleven.
        C: Thanks, bye.""",
    "another half of the day than was offered": """
        A: Good morning, Park Vets.
        C: Hi, my dog needs his booster.
        A: We've Thursday at four.
        C: Could I move that to the morning?
        A: Nine fifteen on Thursday?
        C: Perfect.
        A: That's Thursday at nine fifteen then, see you both.
        C: Thank you!""",
    "a reschedule, and a new visit for a child": """
        A: Bright Dental.
        C: I need to move my cleaning from Tuesday to Wednesday.
        A: Wednesday at 10, that's moved.
        C: Thanks. And I'd also like to book a new appointment for my daughter, a check-up.
        A: I could see her right after, Wednesday at 10:30.
        C: Yes please, that works.
        A: Great, I've booked her in for Wednesday at 10:30.
        C: Perfect, bye.""",
    "the slow computer": """
        A: Children's clinic.
        C: My son needs his vaccinations, could we come next week?
        A: Tuesday at 8:40?
        C: Yes, that's fine.
        A: One moment, the computer is slow today. Okay, there we go, he's booked in for Tuesday at 8:40.
        C: Thanks.""",
    "an old appointment and a new one": """
        A: Surgery, hello.
        C: I have an appointment tomorrow for me, and I'd like to book another appointment for my son.
        A: Sure. He could come at 10 tomorrow as well.
        C: Yes, that's great.
        A: Okay, I've booked him in for 10 tomorrow.
        C: Thank you.""",
    "a long call with a physiotherapist": """
        A: Good morning, Hill Street Practice, Anna speaking.
        C: Morning, it's about my shoulder. I fell off my bike on Sunday.
        A: Oh dear. Did you hit your head at all?
        C: No, just the shoulder and my pride.
        A: Glad to hear that. Have you been to us before?
        C: Two years ago, with the other shoulder, would you believe it.
        A: Then I should have you. What's your surname?
        C: Lindgren. L, I, N, D, G, R, E, N.
        A: And your first name?
        C: Per.
        A: Got you. Are you still on Station Road?
        C: No, we moved last spring. It's 14 Orchard Close now.
        A: Let me change that. One moment, the computer is slow today.
        C: Take your time.
        A: There we go. And is the phone number the same?
        C: Yes, that hasn't changed.
        A: Can you lift the arm above your head?
        C: Only to here. Well, you can't see that. About half way.
        A: And is there any tingling in the fingers?
        C: A little, in the mornings.
        A: I'd like you to be seen this week, then. Are mornings or afternoons better?
        C: Afternoons. I work until one.
        A: I've got Wednesday at twenty past two with Sara, or Friday at four.
        C: Wednesday's perfect.
        A: Right, Wednesday at twenty past two with Sara. I've put you in.
        C: Great. Do I have to bring anything?
        A: Just loose clothes, and the letter from the hospital if they gave you one.
        C: They didn't, I never went.
        A: That's fine. And it's forty-five for the first visit, you can pay by card.
        C: Okay. Is there parking?
        A: Behind the building, the white gate. It's free for an hour.
        C: Good. And should I keep the sling on until then?
        A: If it helps, but move the hand now and then.
        C: Will do. Thanks, Anna.
        A: You're welcome. See you on Wednesday.
        C: See you. Bye.""",
    "a viewing, and then a table to eat at": """
        C: Can you find me a two bedroom flat in Leith?
        A: Harbour Court at 12 Salt Lane has one, at 1,150 a month. Would you like to see the apartment?
        C: Yes, could you arrange a viewing for the 14th?
        A: You'd like to visit Harbour Court on March 14th, is that right?
        C: That's right. Do they take dogs?
        A: Your visit has been scheduled. I'm afraid they take no pets.
        C: Never mind. I'd like to have lunch near there as well.
        A: What do you like to eat?
        C: Something Italian, not too dear.
        A: Da Rosa is a well liked Italian restaurant in Leith.
        C: Is there another restaurant?
        A: There is Il Porto, it's cheap and has tables outside.
        C: Good, book a table there at noon for three people, please.
        A: A table for three at Il Porto at 12 pm on March 14th?
        C: Yes please.
        A: I'm sorry, I couldn't reserve it. Shall I try half past twelve?
        C: Yes, go ahead.
        A: Your table is booked for 12:30.
        C: Great, that's all. Thank you.
        A: Have a nice day.""",
    "a physiotherapist, and then a taxi": """
        A: Riverside Physio, good morning.
        C: Hello, I need an appointment for my knee, it's been swollen since Sunday.
        A: I could fit you in on Thursday at 2:15 with Anna.
        C: Thursday at 2:15 is perfect.
        A: Lovely, I've booked you in with Anna, Thursday at 2:15. Anything else?
        C: I can't drive with this knee. Do you know a taxi I could take?
        A: Most of our patients ring Swift Cabs, the taxi rank is round the corner.
        C: Could you order me the taxi from there for after?
        A: I can do that. Where does the taxi take you?
        C: To the station, for the train at four.
        A: Okay, the taxi is ordered for three o'clock, they'll take you to the train.
        C: You're a star. Thank you.
        A: Bye now.""",
    "none that day, the other turned down for a third": """
        A: Bright Dental, good morning.
        C: I'd like to make an appointment for a check-up, please. Is Monday possible?
        A: I'm sorry, there's nothing available on Monday. How about Tuesday at 3?
        C: No, could you do Friday at ten?
        A: Yes, Friday at ten is free.
        C: Perfect, I'll take that.
        A: Lovely, you're booked in for Friday at ten.
        C: Thank you, bye.""",
    "another day held out with the first": """
        A: Elm Road Dental.
        C: My tooth is killing me, it kept me awake all night.
        A: Oh dear. I have Thursday at 2 with the dentist, or we can find a different day.
        C: Thursday at 2 is fine.
        A: Okay, you're booked in for Thursday at 2.
        C: Thank you so much.""",
    "help and a time in a breath": """
        A: Elm Road Physio.
        C: My knee hurts when I climb stairs, somebody should look at it.
        A: I can help you with that, we have Thursday at 2 with Anna.
        C: Thursday at 2 works for me.
        A: Great, I've put you down for Thursday at 2. See you then.
        C: Thank you, bye.""",
    "a visit arranged, and then a cab that cannot be had": """
        C: I need a physiotherapist in Oakport for my sore knee.
        A: Marlow Physiotherapy is a well rated physio practice. Shall I make an appointment?
        C: Is it near the hospital? My knee hurts when I walk.
        A: It's in the hospital's clinic building, opposite the doctors.
        C: Okay, make an appointment for Friday at two, please.
        A: Marlow Physiotherapy, Friday at 2 pm, is that right?
        C: That's right.
        A: Your appointment is booked for Friday at 2 pm.
        C: Great. And I need a cab there.
        A: A shared one, for one person?
        C: Yes please.
        A: I'm sorry, I couldn't complete that booking.
        C: I'll walk, then. Thank you.""",
    "a taxi given up after the visit was arranged": """
        A: Elm Road Dental.
        C: Hi, I've got a terrible toothache, one of my molars, and the gums are swollen.
        A: Oh dear. I've got Thursday at 3 with the dentist, Dr. Shah.
        C: Thursday at 3 is perfect. Will he take the tooth out?
        A: He'll look at the tooth and the gum first. You're booked in for Thursday at 3.
        C: Can you order me a taxi from the surgery for after?
        A: Not from here, sorry.
        C: Never mind, then. Thank you.""",
    "a deaf man, shouted at": """
        A: Oak Street Hearing.
        C: Hello? I need somebody to look at my hearing aid.
        A: Could you come on Friday at half past four?
        C: I beg your pardon?
        A: FRIDAY, HALF PAST FOUR!
        C: Half past four on Friday, lovely. No need to shout.""",
    "no website found, after the visit was arranged": """
        C: I'd like to see a gynaecologist in Oakport, on the 12th at 3:15.
        A: Dr Marlow on the 12th at 3:15 pm. Shall I proceed?
        C: Yes, please.
        A: It's scheduled. Your appointment is on the 12th at 3:15 pm.
        C: Does she have a website?
        A: I'm sorry, I could not find one.
        C: Doesn't matter. Goodbye.""",
    "nothing to eat before it": """
        A: Greenfield Vets.
        C: Hi, Biscuit needs her teeth cleaned.
        A: We could do Tuesday at 8.
        C: Tuesday at 8 works.
        A: Nothing to eat for twelve hours before.
        C: Got it, see you on Tuesday.""",
}

NOT_BOOKED = {
    "read back, and then it fails": (
        "nothing_available",
        """
        C: I'd like to see a flat in Oakport with two bedrooms.
        A: Marlow Court has two bedrooms and rents for 1,400 a month.
        C: Sounds good, I want to schedule a visit for the 3rd of March.
        A: Please confirm: a visit is scheduled at Marlow Court on March 3rd.
        C: Yes, that's correct.
        A: Sorry, the visit could not be scheduled. Anything else?
        C: No, thanks a lot for your help.
        A: Have a nice day.""",
    ),
    "a hotel booked, where the clinic refused": (
        "nothing_available",
        """
        C: I'd like an appointment with a doctor in Oakport, Tuesday at ten.
        A: Dr Marlow, general practice, on Tuesday at 10 am. Is that right?
        C: That's right.
        A: The appointment was not booked, the doctor's office rejected the request.
        C: Okay. Then I need a hotel in Oakport for Monday, one night.
        A: The Bridge has rooms on Monday. Do you want it?
        C: Yes, take it.
        A: It's booked for Monday, one night.
        C: Thanks.""",
    ),
    "reserved by another, as it turns out": (
        "nothing_available",
        """
        A: Elm Road Dental.
        C: Hello, I need a filling seen to. Could I come on Friday?
        A: Friday at 2, with Dr Marlow?
        C: Friday at 2 is fine.
        A: Typing you in. No, it says reserved by another user.
        C: What a pity. Bye.""",
    ),
    "moved, where the greeting names a day": (
        "rescheduled",
        """
        A: Thank you for calling Birch Dermatology. How can I help you today?
        C: Hi, I need to reschedule.
        A: Sure. Your last name?
        C: Okafor. It's the skin check on the 4th.
        A: I see it. I could do Wednesday the 13th at 1:45 or Friday the 22nd at 2:15.
        C: The 22nd, please.
        A: You are now booked for Friday the 22nd at 2:15, and the 4th has been released.
        C: Great, thanks. Bye.""",
    ),
    "asked what it shall be changed to": (
        "rescheduled",
        """
        A: Meadow Physio, the automated assistant. What can I do for you today?
        C: Change my time.
        A: I can see a follow-up tomorrow at 4:15 with Judith. What would you like to change it to?
        C: A morning, if there is one.
        A: I have Monday the 11th at 10:30. Shall I make that change?
        C: Yes, please.
        A: All done. You're booked for Monday the 11th at 10:30.
        C: Lovely, thank you.""",
    ),
    "the other time turned down as well": (
        "nothing_available",
        """
        C: Can you find me a dentist in Oakfield?
        A: There is Oakfield Dental Care on Mill Street.
        C: Good. I'd like an appointment there next Friday at 11.
        A: So next Friday at 11 at Oakfield Dental Care. Is that right?
        C: Yes, that's right.
        A: Sorry, they are not available at that time. How about 11:30?
        C: No, thanks. That will be all.
        A: Have a great day.""",
    ),
    "a birth registered, beside the health visitor": (
        None,
        """
        A: Registrars, good morning.
        C: Morning. We've had a baby and I have to register her.
        A: You'll both need to come to be on the certificate. I've got Thursday at ten forty or Friday at three.
        C: The health visitor's coming on Friday. Thursday at ten forty.
        A: That's Thursday, ten forty, at the town hall. You're booked in.
        C: Thank you. Bye.""",
    ),
    "a violin lesson, beside the orthodontist": (
        None,
        """
        A: Fiddlewood Music.
        C: Hello, my daughter would like to try the violin.
        A: Lovely. Is it her first time? I could fit her in on Tuesday at four.
        C: She sees the orthodontist on Tuesday. Wednesday?
        A: Wednesday at half past four, then.
        C: That's perfect.
        A: Okay, she's booked in for a trial lesson on Wednesday at half past four.
        C: Thank you, bye.""",
    ),
    "asked when it is, and told": (
        "existing_appointment",
        """
        C: What time am I in tomorrow?
        A: You're booked in for three.
        C: Thanks.""",
    ),
    "asked whether one is expected, and told": (
        "existing_appointment",
        """
        C: Am I down for Tuesday?
        A: You are, you're booked in for Tuesday at nine.
        C: Thanks.""",
    ),
    "a table, in a word": (
        "other_transaction",
        """
        C: I need a table for two tomorrow.
        A: You're booked in for seven.
        C: Thanks.""",
    ),
    "an attempt that fails, and a farewell that sounds like a time": (
        "nothing_available",
        """
        C: I'd like to make an appointment with the dentist on Friday.
        A: So a visit to Dr. James E. Hunt this Friday, is that right?
        C: Yes, that's right.
        A: Sorry, but I am unable to do that. Is there anything else I could do for you today?
        C: No, not at the moment. Thank you!
        A: Have a great one!""",
    ),
    "closed at the hour that was agreed": (
        "nothing_available",
        """
        C: I need an appointment with the physio on Monday.
        A: Shall I book Monday at 5:30?
        C: Yes, that works.
        A: I'm sorry, the clinic closes at 5. Would you like me to try another day?
        C: No, let me think about it.
        A: Have a nice day.""",
    ),
    "nothing free": (
        "nothing_available",
        """
        A: Elm Road Surgery.
        C: Can I get an appointment for today please?
        A: I'm sorry, we have no appointments left today.
        C: Oh. Okay, thanks anyway.
        A: Bye.""",
    ),
    "a practice that takes nobody new": (
        "nothing_available",
        """
        A: Smile Studio.
        C: Hi, I'd like to register and book a check-up.
        A: I'm sorry, we're not taking on any new patients at the moment.
        C: Ah, all right. Thank you.
        A: Good luck, bye.""",
    ),
    "agreed, but the diary shows no opening": (
        "nothing_available",
        """
        C: Could you schedule me an appointment with Dr. Hunt on the 10th?
        A: Let me see. I can schedule 10:15 with Dr. James E. Hunt for March 10th, correct?
        C: Yes, that would be great.
        A: Sorry, I do not show that Dr. James E. Hunt has an opening for 10:15 on March 10th.
        C: Really, this is not good.
        A: I am sorry, is there anything else I can help you with?
        C: It's not your fault. Thank you for your help.""",
    ),
    "another time than was agreed": (
        "nothing_available",
        """
        C: I'd like to see Dr. Simel on the 5th at 11:45.
        A: Your appointment is on the 5th at 11:45, is that right?
        C: Yes, that works.
        A: He isn't free then. I booked the appointment for the 5th at noon.
        C: That doesn't work for me.
        A: Is there anything else I can do for you?
        C: No, thank you.
        A: Have a great day.""",
    ),
    "the caller says no": (
        "declined",
        """
        A: City Physio.
        C: What would an appointment cost?
        A: It's ninety for the first session. Would you like to book one?
        C: No thanks, I'm going to think about it.
        A: No problem, bye.""",
    ),
    "a booking undone in the same call": (
        "cancelled",
        """
        A: Bright Dental.
        C: Could I make an appointment for a cleaning?
        A: Monday at 9?
        C: Sure.
        A: You're booked for Monday at 9.
        C: Hmm, you know what, cancel that, I just saw I'm away.
        A: Okay, I've cancelled it.
        C: Sorry, bye.""",
    ),
    "the caller thinks better of it": (
        "call_back",
        """
        A: Bright Dental.
        C: I need an appointment for a crown.
        A: I can do Monday at 9.
        C: Yes okay. Oh, actually, never mind, I'll call you back when I've got my calendar.
        A: No problem, bye.""",
    ),
    "somebody else took the slot": (
        "nothing_available",
        """
        A: Elm Road Surgery.
        C: I'd like to book an appointment with Dr. Ames.
        A: There's one at 3:30 this afternoon.
        C: Yes please.
        A: Oh, I'm sorry, that one has just been taken.
        C: Never mind then. Bye.""",
    ),
    "a question about an old appointment": (
        "existing_appointment",
        """
        A: Greenfield Vets.
        C: Hi, what time is my appointment for Molly tomorrow?
        A: You're booked in at ten past nine.
        C: Great, thanks.
        A: See you tomorrow.""",
    ),
    "a reminder by the clinic": (
        "existing_appointment",
        """
        C: Hello?
        A: Hi, this is Bright Dental, I'm calling to remind you of your cleaning tomorrow at 10.
        C: Oh yes, I'll be there.
        A: Great, see you tomorrow.
        C: Bye.""",
    ),
    "running late": (
        "existing_appointment",
        """
        A: City Physio.
        C: Hi, I'm running a bit late for my appointment with Jo, I'll be there at ten past.
        A: No worries, I'll let her know.
        C: Thanks.""",
    ),
    "a reschedule": (
        "rescheduled",
        """
        A: Elm Road Surgery.
        C: Hello, I need to reschedule my appointment on Friday.
        A: Okay. How about Monday at 2?
        C: Monday at 2 is perfect.
        A: That's you booked in for Monday at 2 instead.
        C: Thank you, bye.""",
    ),
    "cannot make it and moves": (
        "rescheduled",
        """
        A: Bright Dental.
        C: I can't make my cleaning on Thursday, can I change it?
        A: Sure, I have the 21st at 4.
        C: Sounds good.
        A: All right, you're all set for the 21st at 4.
        C: Thanks.""",
    ),
    "an hour later, in two turns": (
        "rescheduled",
        """
        C: Can I make it eleven instead of ten?
        A: You're booked in for eleven.""",
    ),
    "an hour later, in figures": (
        "rescheduled",
        """
        C: Can I make it 11 instead of 10?
        A: You're booked in for 11.""",
    ),
    "to be moved to another day": (
        "rescheduled",
        """
        A: Harbour Physio.
        C: Hi, can you move me to Friday? Something's come up at work.
        A: Sure, you're down for Friday at ten.
        C: Brilliant, thanks.""",
    ),
    "a cancellation": (
        "cancelled",
        """
        A: Greenfield Vets.
        C: I'd like to cancel my appointment for tomorrow please.
        A: That's fine, I've taken you off. Would you like to rebook?
        C: Not right now, thanks.
        A: Okay, bye.""",
    ),
    "the clinic will call": (
        "call_back",
        """
        A: Children's clinic.
        C: I'd like to get an appointment for my baby's vaccination.
        A: The nurse does the diary for those. Can I get her to call you back this afternoon?
        C: Yes, that's fine.
        A: Okay, she'll give you a call back. Bye.""",
    ),
    "the caller will call": (
        "call_back",
        """
        A: City Physio.
        C: I need an appointment next week.
        A: I have Tuesday at 8 or Thursday at noon.
        C: Let me ask at work and I'll ring you back.
        A: Sure, no problem.""",
    ),
    "a wait list": (
        "wait_list",
        """
        A: Derm clinic.
        C: I'd like an appointment with Dr. Cole.
        A: She has nothing until June. I can put you on the waiting list.
        C: Yes please do that.
        A: Okay, you're on the waiting list, we'll let you know.
        C: Thanks.""",
    ),
    "a message for the doctor": (
        "message_left",
        """
        A: Elm Road Surgery.
        C: Could you tell Dr. Singh the tablets are making me dizzy?
        A: I'll pass on the message and she'll read it today.
        C: Thank you, bye.""",
    ),
    "a repeat prescription": (
        None,
        """
        A: Elm Road Surgery.
        C: I need to refill my prescription for ramipril.
        A: Okay, that's been sent, your prescription is all set for Thursday.
        C: Lovely, thanks.""",
    ),
    "a bill": (
        None,
        """
        A: Bright Dental.
        C: I'd like to pay my bill please.
        A: Sure. Okay, your payment has been confirmed.
        C: Thanks, bye.""",
    ),
    "a taxi": (
        None,
        """
        A: Hello, how can I help?
        C: Can you book me a taxi to the surgery at 3 pm?
        A: Sure, for one person?
        C: Yes.
        A: Your taxi is booked for 3 pm.
        C: Thank you.""",
    ),
    "a call returned about an old appointment": (
        "existing_appointment",
        """
        A: Bright Dental.
        C: Hi, I'm returning your call, somebody left me a voicemail about my appointment.
        A: Yes, we just wanted to make sure you're coming tomorrow at 9.
        C: Yes, I'll be there.
        A: Great, you're confirmed.
        C: Okay, bye.""",
    ),
    "booked in an earlier call": (
        "existing_appointment",
        """
        A: Elm Road Surgery.
        C: I called earlier and booked for Tuesday at 9, did that go through?
        A: Yes, you're booked for Tuesday at 9.
        C: Perfect, thanks.""",
    ),
    "pushed back a week": (
        "rescheduled",
        """
        A: City Physio.
        C: Something came up, can we push my session to next week?
        A: Sure, same time next Thursday?
        C: Perfect.
        A: Okay, you're all set for next Thursday at 6.
        C: Thank you.""",
    ),
    "told to ring in the morning": (
        "call_back",
        """
        A: Elm Road Surgery.
        C: I'd like an appointment.
        A: All of today's are gone I'm afraid, you'll need to ring at eight tomorrow.
        C: At eight, okay.
        A: Yes, on the dot.
        C: Thanks.""",
    ),
    "told to book in the app": (
        "call_back",
        """
        A: Elm Road Surgery.
        C: Can I get an appointment with Dr. Blue?
        A: You can book that through the app now.
        C: Oh okay, I'll do that.
        A: Great, bye.""",
    ),
    "the booking system is down": (
        "call_back",
        """
        A: Bright Dental.
        C: I'd like to book a cleaning.
        A: Okay, we can do the 3rd at 10.
        C: Great.
        A: Oh sorry, it just froze, I can't book anything right now. Can I call you back?
        C: Sure.
        A: Okay, talk soon.""",
    ),
    "walk-ins only": (
        None,
        """
        A: Elm Road Surgery.
        C: Can I come in this afternoon?
        A: Walk-ins are till five, no appointment needed.
        C: Oh great, I'll just come by then.
        A: Okay.""",
    ),
    "opening hours": (
        "not_discussed",
        """
        A: Greenfield Vets.
        C: What time do you close today?
        A: We're open until half past six.
        C: Okay, thanks.""",
    ),
    "nobody free, and not wanted later": (
        "nothing_available",
        """
        A: City Physio.
        C: Hi, I'd like to make an appointment for this week.
        A: I'm sorry, we're fully booked this week, I have nothing before the 28th.
        C: No, that's too late for me. Thanks anyway.
        A: Sorry about that, bye.""",
    ),
    "the vet is not taking new animals": (
        "nothing_available",
        """
        A: Greenfield Vets.
        C: I'd like to register my cat and book her vaccination.
        A: Sorry, we're not accepting any new patients until the spring.
        C: Okay, I'll look elsewhere. Bye.""",
    ),
    "asks the spouse first": (
        "call_back",
        """
        A: Bright Dental.
        C: My daughter needs a check-up.
        A: I can do Tuesday at 4 or Thursday at 5.
        C: Let me check with my husband and I'll call you back tomorrow.
        A: Of course, bye.""",
    ),
    "only a reminder, in a fever of thanks": (
        "existing_appointment",
        """
        A: Hi, this is the Children's clinic, I'm calling to remind you of Theo's appointment tomorrow at 9.
        C: Oh yes, thank you, we'll be there.
        A: Perfect, see you tomorrow at 9.
        C: Thanks, bye.""",
    ),
    "moves it, with all the words of a booking": (
        "rescheduled",
        """
        A: Thank you for calling Bright Smile Dental, how may I help you?
        C: Hi, I need to reschedule my appointment on Monday, something came up at work.
        A: No problem. I have Wednesday at 10 or Thursday at 3.
        C: Thursday at 3 works.
        A: Perfect, you're all set for Thursday at 3 with Dr. Chen.
        C: Thank you so much.""",
    ),
    "off the list and away": (
        "cancelled",
        """
        A: City Physio.
        C: I have to cancel my appointment tomorrow, I'm feeling better.
        A: Okay, I've cancelled that for you. Would you like another one?
        C: No thanks, I'll see how it goes.
        A: All right, bye.""",
    ),
    "a bill in parts": (
        None,
        """
        A: Bright Dental billing.
        C: I'd like to pay my bill in two payments.
        A: Okay, you're all set up for two payments, the first one on the first.
        C: Thank you.""",
    ),
    "a table for four": (
        None,
        """
        A: Osteria Roma, good evening.
        C: I'd like to book a table for four on Friday at eight.
        A: Friday at eight, perfect, you're booked.
        C: Thank you, see you Friday.""",
    ),
    "a wrong number": (
        "not_discussed",
        """
        A: Bright Dental.
        C: Oh sorry, I think I've got the wrong number.
        A: No worries.""",
    ),
    "a long talk between friends who settle on Saturday": (
        "other_transaction",
        """
        C: Hey, it's me. Are you busy?
        A: No, no, I'm only peeling potatoes. What's up?
        C: Nothing much. I wanted to hear how your mum is getting on.
        A: Oh, a bit better. The knee's still swollen, but she can manage the stairs.
        C: Good. Did the doctor say anything new?
        A: He wants another scan at the end of the month, so we wait.
        C: Poor thing. Give her a hug from me.
        A: I will. And you, how's the new job?
        C: Tiring. I've been on trains all week, and the coffee is awful.
        A: You always say that. Are you coming on Saturday, then?
        C: That's why I'm ringing. Would eleven be all right instead of ten?
        A: Eleven's fine. The shop doesn't open before half ten anyway.
        C: Perfect. And I'll bring the drill, if you still need it.
        A: Yes please, that would be great. The shelf is leaning on the wall since Easter.
        C: Okay. Shall I pick up some bread on the way?
        A: Go on then, the dark one. And don't forget your swimming things.
        C: Swimming? In that weather?
        A: It's indoors, silly. Half past two, I've got us the last two places.
        C: Brilliant. What does it cost?
        A: It's on me. You paid for the cinema.
        C: Deal. So Saturday at eleven, drill, bread, swimming things.
        A: That's it. See you Saturday!
        C: See you. Bye!
        A: Bye, love.""",
    ),
    "no viewing to be had, and then a table": (
        "nothing_available",
        """
        C: I'm looking for a three bedroom apartment in Fremont.
        A: Willow Gardens has one for 3,100 a month.
        C: I'd like to visit it on the 8th.
        A: A visit to Willow Gardens on March 8th, shall I go ahead?
        C: Yes, please.
        A: I'm sorry, I was unable to schedule the visit.
        C: That's a shame. Then find me a restaurant for tonight.
        A: Pho Binh is a Vietnamese restaurant in Fremont.
        C: Book me a table for two at seven.
        A: A table for two at Pho Binh tonight at 7 pm?
        C: Yes, that's right.
        A: Your reservation is confirmed.
        C: Thanks, that's all.
        A: Goodbye.""",
    ),
    "a day the caller has already, and cannot come on": (
        "existing_appointment",
        """
        A: Ashgrove Dental, Priya speaking, how can I help?
        C: Hi, I've got Tuesday with Dr. Shaw, but they need me at work.
        A: No problem. What's the surname?
        C: Pennock.
        A: I have Thursday at ten or Friday at 8:40.
        C: Thursday at ten would be lovely.
        A: That's Thursday at ten with Dr. Shaw, then.
        C: Brilliant, thank you.
        A: See you Thursday.""",
    ),
    "a day the clinic gave by letter, changed": (
        "existing_appointment",
        """
        A: Eye Clinic, good morning.
        C: Good morning. You've given me the 28th for my scan, in your letter, and I'm away then.
        A: Let me see. I could do the 30th at nine.
        C: The 30th at nine is fine.
        A: Okay, I've put you down for the 30th at nine instead.
        C: Thank you, bye.
        A: Bye.""",
    ),
}

UNSETTLED = {
    "an offer and then nothing": """
        A: Bright Dental.
        C: I'd like to make an appointment.
        A: I can do Monday at 9 or Tuesday at 3.""",
    "cut off while details are taken": """
        A: City Physio.
        C: Hi, I need to book an appointment for my knee.
        A: Of course, can I take your date of birth?""",
    "only a promise of something": """
        A: Elm Road Surgery.
        C: I need an appointment sometime soon.
        A: Okay, what day were you thinking""",
    "the clinic alone can be heard": """
        A: Bright Dental, hello?
        A: You're booked in for Monday at 9.""",
}

VOICEMAILS = [
    "Hi it's Dan, I need an appointment tomorrow at 9, call me back on 555-0101.",
    "um hello yes this is mrs ferreira i'd like to book my son in for wednesday at four thanks",
    "Please ring me. My appointment is booked for Tuesday and I want to confirm it's confirmed.",
]

SUMMARIES = {
    "The appointment was scheduled for Tuesday at 3 pm with Dr. Lee.": True,
    "The receptionist booked her in for Monday, May 5th at 9:00 am.": True,
    "Caller asked for a cleaning and they agreed on Friday at noon.": True,
    "The agent confirmed the appointment for the patient's son on Thursday.": True,
    "The caller was offered two slots and chose Thursday. The agent confirmed the booking.": True,
    "After Tuesday was unavailable, the appointment was confirmed for Wednesday at 2 pm.": True,
    "Patient called to schedule an appointment.": None,
    "Caller inquired about booking a physiotherapy appointment.": None,
    "The caller would like to book a cleaning for her daughter.": None,
    "The patient requested an appointment with Dr. Lee next week.": None,
    "The caller wanted to book but the clinic was fully booked this week.": False,
    "The patient called to book an appointment and said she would call back later.": False,
    "The caller rescheduled an appointment from Monday to Tuesday at 3 pm.": False,
    "The patient cancelled her appointment for Thursday.": False,
    "The caller left a message asking to schedule an appointment.": False,
    "The caller was added to the waiting list for Dr. Cole.": False,
    "The caller asked about the price of whitening and was told it is 300 dollars.": False,
    "The patient called to confirm her existing appointment on Friday.": False,
    "The clinic reminded the patient that his appointment is scheduled for Tuesday.": False,
    "The caller asked whether her appointment was scheduled for Tuesday; it is.": False,
    "The caller booked a taxi to the airport for 5 pm.": False,
    "The agent confirmed the details of a call back tomorrow at 10.": False,
    "The caller booked a cleaning for Thursday at 2:30 with Dr. Chen.": True,
    "Appointment booked for the caller's dog on Friday at 10:30 for vaccinations.": True,
    "The patient asked for a check-up and the agent reserved the 9 am slot on Monday.": True,
    "The caller wants to be seen this week.": None,
    "The caller is interested in making an appointment for her son.": None,
    "Patient needs to schedule a follow-up visit with Dr. Lee.": None,
    "The agent was unable to find an opening and no appointment was made.": False,
    "The caller asked for a refill of a prescription.": False,
    "The clinic was closed and the caller left a voicemail.": False,
    "The caller declined the offered times and will think about it.": False,
}


@pytest.mark.parametrize("script", BOOKED.values(), ids=BOOKED)
@pytest.mark.parametrize("spoken", [list, as_recognised], ids=["written", "recognised"])
def test_a_settled_visit_is_booked_and_the_confirming_words_are_quoted(
    script: str, spoken: Callable[[Turns], Turns]
) -> None:
    turns = spoken(turns_of(script))

    verdict = decide(turns, None)

    assert verdict.booked is True
    assert any(quote["speaker"] == "agent" for quote in verdict.evidence)


def test_an_offer_that_only_its_question_mark_shows_is_booked_as_written_and_never_denied() -> None:
    turns = turns_of("""
        A: Bright Dental.
        C: I need to cancel my appointment on Friday and then book another one for my wife.
        A: Okay, I've cancelled yours. For your wife, Friday at 3?
        C: Yes, she can do that.
        A: Great, I've booked her in for Friday at 3.
        C: Thanks.""")

    assert decide(turns, None).booked is True
    assert decide(as_recognised(turns), None).booked is not False


@pytest.mark.parametrize(("reason", "script"), NOT_BOOKED.values(), ids=NOT_BOOKED)
@pytest.mark.parametrize("spoken", [list, as_recognised], ids=["written", "recognised"])
def test_anything_but_a_new_settled_visit_is_not_booked(
    reason: str | None, script: str, spoken: Callable[[Turns], Turns]
) -> None:
    turns = spoken(turns_of(script))

    verdict = decide(turns, None)

    assert verdict.booked is False
    assert verdict.evidence
    if reason:
        assert verdict.reason == reason


@pytest.mark.parametrize("script", UNSETTLED.values(), ids=UNSETTLED)
def test_words_that_settle_nothing_leave_the_verdict_unknown(script: str) -> None:
    verdict = decide(turns_of(script), None)

    assert verdict.booked is None
    assert verdict.reason in ("unsettled", "no_conversation")
    assert verdict.confidence == 0.5


@pytest.mark.parametrize("message", VOICEMAILS)
def test_a_message_after_the_beep_books_nothing(message: str) -> None:
    verdict = decide([{"speaker": "caller", "text": message}], None)

    assert verdict.booked is False
    assert verdict.reason == "message_left"


@pytest.mark.parametrize("script", [one[1] for one in NOT_BOOKED.values()], ids=NOT_BOOKED)
def test_exchanged_speakers_make_no_booking_of_what_is_none(script: str) -> None:
    exchanged = {"caller": "agent", "agent": "caller"}
    turns = [turn | {"speaker": exchanged[turn["speaker"]]} for turn in turns_of(script)]

    verdict = decide(turns, None)

    assert verdict.booked is not True


@pytest.mark.parametrize(("turns", "summary"), [([], None), ([], ""), ([], " \n "), (None, None)])
def test_a_call_without_words_is_unknown(turns: Any, summary: Any) -> None:
    verdict = decide(turns, summary)

    assert (verdict.booked, verdict.reason) == (None, "no_conversation")
    assert verdict.evidence == ()


@pytest.mark.parametrize(("summary", "booked"), SUMMARIES.items())
def test_a_summary_alone_decides_only_by_the_outcome_it_states(
    summary: Any, booked: bool | None
) -> None:
    verdict = decide([], summary)

    assert verdict.booked is booked
    assert all(quote["source"] == "summary" for quote in verdict.evidence)


def test_silence_of_the_caller_is_never_a_booking_whatever_the_summary_claims() -> None:
    turns = [{"speaker": "caller", "text": "..."}, {"speaker": "agent", "text": "You're booked."}]

    verdict = decide(turns, "The appointment was scheduled for Tuesday at 3 pm.")

    assert verdict.booked is not True


def test_a_summary_that_the_words_do_not_bear_out_is_named_a_conflict() -> None:
    turns = turns_of(NOT_BOOKED["nothing free"][1])

    verdict = decide(turns, "The appointment was scheduled for today at 3 pm.")

    assert (verdict.booked, verdict.reason) == (False, "conflict")
    assert verdict.confidence < decide(turns, None).confidence
    assert {quote["source"] for quote in verdict.evidence} == {"summary", "transcript"}


def test_a_summary_that_agrees_makes_the_verdict_surer() -> None:
    turns = turns_of(BOOKED["vet, for an animal"])

    verdict = decide(turns, "The appointment for Biscuit was booked for Friday at 4:15 pm.")

    assert verdict.booked is True
    assert verdict.confidence > decide(turns, None).confidence


def test_a_summary_finishes_what_a_cut_off_transcript_left_open() -> None:
    turns = turns_of(UNSETTLED["an offer and then nothing"])

    verdict = decide(turns, "The appointment was booked for Tuesday at 3 pm.")

    assert verdict.booked is True


FOR_TOMORROW = "C: I need an appointment.\nA: Okay, you're booked in for tomorrow at 3 pm"


def test_what_was_booked_is_told_with_a_booking_and_resolved_by_the_calls_own_date() -> None:
    turns = turns_of(FOR_TOMORROW)

    verdict = decide(turns, None, "2025-03-11T03:00:00Z", "America/New_York")

    assert verdict.appointment is not None
    assert verdict.appointment["date"] == "2025-03-11"
    assert verdict.appointment["time"] == "15:00"


@pytest.mark.parametrize(
    ("at", "timezone"),
    [(None, None), ("yesterday", "Europe/Berlin"), ("2025-03-11T03:00:00Z", "Nowhere/At all")],
)
def test_a_date_stays_unresolved_when_the_calls_own_date_is_not_known(
    at: Any, timezone: Any
) -> None:
    turns = turns_of(FOR_TOMORROW)

    verdict = decide(turns, None, at, timezone)

    assert verdict.appointment is not None
    assert "date" not in verdict.appointment


def test_nothing_is_told_of_an_appointment_that_was_not_booked() -> None:
    verdict = decide(turns_of(NOT_BOOKED["the caller says no"][1]), None)

    assert verdict.appointment is None


def test_a_quote_says_who_spoke_and_when() -> None:
    turns = [
        {"speaker": "caller", "text": "I'd like an appointment.", "start": 1.5, "end": 2.5},
        {"speaker": "agent", "text": "Okay. You're booked in for noon.", "start": 3, "end": 5},
    ]

    verdict = decide(turns, None)

    expected = {"quote": "You're booked in for noon", "source": "transcript"}
    assert expected | {"speaker": "agent", "start": 3} in verdict.evidence


@pytest.mark.parametrize("path", sorted(SAMPLE_CALLS.glob("*.txt")), ids=lambda path: path.stem)
def test_each_sample_call_gets_the_verdict_its_author_expects(path: Path) -> None:
    turns: Turns = []
    said: dict[str, str] = {}
    for line in filter(None, path.read_text().splitlines()):
        name, _, text = line.partition(": ")
        said[name] = text
        if name in ("caller", "agent", "voicemail"):
            turns.append({"speaker": "agent" if name == "agent" else "caller", "text": text})

    verdict = decide(turns, said.get("summary"))

    assert {"booked": True, "not booked": False, "unknown": None}[said["# expected"]] is (
        verdict.booked
    )


SAID = (
    "you're booked in/yes please/no thanks/Tuesday at 3/tomorrow at 5 p.m./not/my appointment"
    "/I'd like an appointment/cancel that/call you back/we have/fully booked/see you/Dr./?/./,"
    "/\u0130\u2019\u0301/\ud800/\x00"
)
PHRASES = st.sampled_from(SAID.split("/"))
TEXTS = st.one_of(st.text(max_size=60), st.lists(PHRASES, max_size=12).map(" ".join))
ODD = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=3))
TURNS = st.fixed_dictionaries(
    {},
    optional={
        "speaker": st.one_of(st.sampled_from(["caller", "agent"]), ODD),
        "text": st.one_of(TEXTS, TEXTS, TEXTS, ODD),
        "start": ODD,
    },
)


@settings(max_examples=400, deadline=None)
@given(st.lists(TURNS, max_size=10), st.one_of(st.none(), TEXTS), ODD, ODD)
def test_no_words_make_it_fail_or_quote_what_was_not_said(
    turns: Any, summary: Any, at: Any, timezone: Any
) -> None:
    verdict = decide(turns, summary, at, timezone)

    assert 0 <= verdict.confidence <= 1
    assert verdict.booked is None or verdict.evidence
    for quote in verdict.evidence:
        texts = [turn.get("text") for turn in turns if turn.get("speaker") == quote.get("speaker")]
        sources = [summary] if quote["source"] == "summary" else texts
        assert any(quote["quote"] in text for text in sources if isinstance(text, str))
    json.dumps(verdict.as_dict(), allow_nan=False)


LONG = [
    "a" * 200_000,
    "?" * 200_000,
    "'" * 200_000,
    " " * 200_000,
    "a.m. " * 20_000,
    "9 p m at " * 10_000,
    "your appointment " + "is " * 40_000,
    "i have your appointment is booked for tuesday see you " * 2_000,
]


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:16].strip() or "spaces")
def test_a_turn_of_any_length_is_judged_in_time_that_grows_with_it(text: str) -> None:
    turns = [{"speaker": "caller", "text": text}, {"speaker": "agent", "text": text}]
    began = time.perf_counter()

    decide(turns, text)

    assert time.perf_counter() - began < 10


def judge(lines: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the module as the README of the evaluation does."""
    return subprocess.run(
        [sys.executable, "-m", "calls.booking"],
        input=lines,
        capture_output=True,
        env={"PYTHONPATH": str(LAYER)},
        check=False,
        timeout=60,
    )


def test_conversations_go_in_and_verdicts_come_out_in_the_same_order() -> None:
    rows = [
        {"id": "b", "turns": turns_of(BOOKED["vet, for an animal"]), "summary": None},
        {"id": "a", "turns": [], "summary": None, "startedAt": "2025-03-10T09:00:00Z"},
        {
            "id": "c",
            "turns": [],
            "summary": "The appointment was set for Monday.",
            "timezone": None,
        },
    ]

    ran = judge("\n".join(map(json.dumps, rows)).encode())

    verdicts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert [verdict["id"] for verdict in verdicts] == ["b", "a", "c"]
    assert [verdict["booked"] for verdict in verdicts] == [True, None, True]
    keys = {"id", "booked", "confidence", "reason", "evidence", "appointment", "engine"}
    assert all(set(verdict) == keys and verdict["engine"] == ENGINE for verdict in verdicts)


@pytest.mark.parametrize(
    "bad", [b"{", b"[]", b"\xff", b"", b'{"turns": "x"}', b'{"turns": [1]}', b'{"summary": 1}']
)
def test_an_unreadable_line_is_named_and_costs_no_other_line_its_verdict(bad: bytes) -> None:
    good = json.dumps({"id": "ok", "turns": [], "summary": None}).encode()

    ran = judge(b"\n".join([good, bad, good]))

    reasons = [json.loads(line)["reason"] for line in ran.stdout.splitlines()]
    assert reasons == ["no_conversation", "unreadable_row", "no_conversation"]
    assert b"line 2" in ran.stderr
    assert ran.returncode == 1
