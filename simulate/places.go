package simulate

import "strconv"

// place is where meetings are held: a room_id and its title. One session after the other uses it.
type place struct {
	id, title string
	busy      bool
	last      *session
}

var titles = []struct{ id, title string }{
	{"standup-payments", "Payments stand-up"},
	{"mathe-7b", "Mathematik 7b – Brüche & Dezimalzahlen"},
	{"support-desk", "Support desk"},
	{"all-hands", "All hands: roadmap, questions, cake 🎂"},
	{"clinic-4", "عيادة الأطفال – الاستشارات عن بُعد"},
	{"ulpan-aleph", "אולפן א׳ – שיעור 12: פעלים"},
	{"russkiy-b1", "Русский язык B1: глаголы движения"},
	{"keiei-kaigi", "経営会議（第3四半期レビュー）"},
	{"yuwen-3", "三年级语文·古诗两首"},
	{"hoegui", "주간 제품 회의"},
	{"hindi-kavita", "हिन्दी कविता पाठ"},
	{"ielts-speaking", "IELTS speaking club (B2+) 🗣️"},
	{"court-11", "Courtroom 11 — hearing <closed>"},
	{"r", "R"},
	{"db-incident-4412", "INCIDENT-4412: replica lag > 90 s"},
	{"board", "Board of directors"},
	{"phd-defence", "Soutenance de thèse : « L’été des algorithmes »"},
	{"choir", "Chorprobe Alt & Tenor"},
	{"interview-backend", "Interview: backend engineer (2nd round)"},
	{"vn-van-hoc", "Văn học lớp 11 – “Chí Phèo”"},
	{"elliniki-istoria", "Ελληνική ιστορία: από το 1821 ως σήμερα"},
	{"thai-cooking", "ทำอาหารไทยกับครูอ้อย"},
	{"onboarding", "Onboarding — welcome, 'newbies'"},
	{"design-crit", `Design critique: the "new" sidebar`},
	{"parents-evening-2a", "Parents’ evening 2a"},
	{"yoga", "🧘 Yoga am Morgen"},
	{"bgp-lab", "Lab 6: BGP & route reflectors"},
	{"farsi-ghazal", "غزل\u200cخوانی: حافظ و سعدی"},
	{"kyiv-office", "Київський офіс: планування"},
	{"combining", "Cafe\u0301 re\u0301sume\u0301 — E\u0301critures cre\u0301atives"},
	{"weekly-with-a-very-long-title", "Weekly synchronisation of the cross-functional working group on accessibility, internationalisation, performance and everything else that nobody had the time to look at last week (please read the notes before)"},
	{"escape", `<script>alert("1")</script> & friends`},
	{"town-hall", "Bürgersprechstunde Nord"},
	{"therapy-17", "Session 17"},
	{"release-2-4", "Release 2.4 go/no-go"},
	{"arabic-mixed", "مراجعة Sprint 42 (backend)"},
	{"kindergarten", "בוקר טוב גן שקד 🌼🐣"},
	{"zoo-class", "Live aus dem Zoo 🦒🦓 Klasse 1–4"},
	{"sales-emea", "EMEA pipeline review"},
	{"nihongo-n5", "日本語N5・会話れんしゅう"},
	{"lecture-linear-algebra", "Lineare Algebra I, Vorlesung 9"},
	{"lecture-anatomy", "Anatomie humaine – cours magistral"},
	{"bookclub", "Kirjallisuuspiiri: “Sinuhe”"},
	{"customer-acme", "ACME × us: kick-off"},
	{"amharic", "የአማርኛ ትምህርት"},
	{"georgian", "ქართული ენა დამწყებთათვის"},
	{"bengali", "বাংলা সাহিত্য আড্ডা"},
	{"retro-mobile", "Retro: mobile (keep / drop / try)"},
	{"security-office-hours", "Security office hours"},
	{"press", "Press briefing"},
}

// places are twice as many as rooms at least, so that a free one is found soon.
func places(rooms int) []*place {
	all := make([]*place, 0, max(rooms*2, len(titles)))
	for i := range cap(all) {
		of, round := titles[i%len(titles)], i/len(titles)+1
		p := &place{id: of.id, title: of.title}
		if round > 1 {
			p.id, p.title = p.id+"-"+strconv.Itoa(round), p.title+" · "+strconv.Itoa(round)
		}
		all = append(all, p)
	}
	return all
}

// freePlace is any place where nobody meets.
func (l *Life) freePlace() *place {
	for {
		if p := pick(l.dice, l.places); !p.busy {
			return p
		}
	}
}

// groupName is the id and title of the nth breakout of a meeting.
func groupName(d dice, n int) (id, title string) {
	return "side" + strconv.Itoa(n), pick(d, []string{"Group ", "Gruppe ", "小组 ", "مجموعة ", "Группа ", "Team 🟣 "}) + strconv.Itoa(n)
}
