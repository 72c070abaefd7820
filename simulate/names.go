package simulate

import "strconv"

// names of people by language: any first with any last. Where the family comes first, first is the family's.
var names = []struct {
	first, last []string
	join        string
}{
	{[]string{"Grace", "Oliver", "Niamh", "Tom", "Priscilla", "Seán"}, []string{"O’Connor", "Smith-Jones", "Okafor", "McAllister", "Wu", "D'Arcy"}, " "},
	{[]string{"Jürgen", "Anneliese", "Björn", "Käthe", "Uwe", "Maëlle"}, []string{"Groß", "Müller-Lüdenscheidt", "Weiß", "von der Heide", "Öztürk", "Ng"}, " "},
	{[]string{"Zoé", "François", "Aïcha", "Loïc", "Inès", "Noël"}, []string{"Lefèvre", "Benali", "d’Aubigné", "Çelik", "Œuvrard", "N’Diaye"}, " "},
	{[]string{"João", "María José", "Íñigo", "Thaís", "Núria", "Zacarías"}, []string{"Gonçalves", "Peña Ibáñez", "dos Anjos", "Muñoz", "Güell", "Åkesson"}, " "},
	{[]string{"Łukasz", "Božena", "Zdeněk", "Agnieszka", "Šárka", "Gréta"}, []string{"Nowak", "Wójcik", "Żak", "Krejčí", "Janů", "Mazurek"}, " "},
	{[]string{"Дмитрий", "Ольга", "Тарас", "Светлана", "Ігор", "Анна-Мария"}, []string{"Шевченко", "Гончаренко", "Черных", "Живаго", "Щерба", "Ґудзь"}, " "},
	{[]string{"أحمد", "فاطمة", "يوسف", "نورة", "عبد الرحمن", "ليلى"}, []string{"الحسيني", "بن علي", "المصري", "القحطاني", "حدّاد", "الزهراء"}, " "},
	{[]string{"נועה", "איתן", "שירה", "דוד", "יעל", "אורי"}, []string{"כהן", "לוי", "בן־דוד", "מזרחי", "פרץ", "אברהם"}, " "},
	{[]string{"王", "李", "欧阳", "陳", "張", "刘"}, []string{"小明", "娜", "思远", "美玲", "大伟", "雨桐"}, ""},
	{[]string{"佐藤", "髙橋", "伊藤", "渡邊", "中村", "小林"}, []string{"さくら", "健太", "ヒカリ", "翔", "由美子", "蓮"}, " "},
	{[]string{"김", "이", "박", "최", "정", "강"}, []string{"민준", "서연", "지우", "하은", "도윤", "예린"}, ""},
	{[]string{"अर्जुन", "प्रिया", "विक्रम", "श्रुति", "कृष्ण", "ऋतु"}, []string{"शर्मा", "त्रिपाठी", "सिंह", "ज़ैदी", "अय्यर", "मिश्रा"}, " "},
	{[]string{"Nguyễn", "Trần", "Phạm", "Hoàng", "Đặng", "Võ"}, []string{"Thị Hồng", "Văn Đức", "Minh Quân", "Ngọc Ánh", "Hữu Phước", "Thuỳ"}, " "},
	{[]string{"Ελένη", "Γιώργος", "Μαρία", "Οδυσσέας", "Ζωή", "Ίρις"}, []string{"Παπανικολάου", "Νικολάου", "Αγγέλου", "Ιωάννου", "Κωνσταντίνου", "Γεωργίου"}, " "},
	{[]string{"สมชาย", "ณัฐพร", "ปิยะ", "กัญญา", "วีระ", "อรุณี"}, []string{"ศรีสุข", "เจริญผล", "ทองดี", "บุญมี", "รัตนวงศ์", "แก้วใส"}, " "},
	// Combining marks: each letter here is two or three characters.
	{[]string{"E\u0301lodie", "O\u0323la\u0301ti\u0301ta\u0300n", "Z\u030coë", "A\u030asa", "Ru\u0308diger", "N\u0303a"}, []string{"Mu\u0308ller", "Ade\u0301wa\u0300le\u0301", "S\u030cvec", "Go\u0308ransson", "Ibáñez", "Çetin"}, " "},
}

// oddNames are what people enter when a form lets them.
var oddNames = []string{
	"<b>Bobby</b> & Co.", `Robert "Bob" O'Neil`, "Zoë 🦊", "👩🏽‍🏫 Frau Lehmann", "x", "🙂", "iPhone von Mama", "Guest",
	"Univ.-Prof. Dr. phil. Dr. h. c. Maximiliane Friederike Charlotte zu Hohenlohe-Waldenburg-Schillingsfürst (Lehrstuhl für Angewandte Informatik)",
	"مشرف القاعة (Room 12)", "`${name}`", "null", "O\\Reilly", "山田 太郎（やまだ たろう）／営業第二部", "Za\u0334\u0321lgo\u0338 fan", "Anna  Zwei  Leerzeichen",
}

// population is how many different people there are.
const population = 4096

// guest is somebody who is not in the session.
func (l *Life) guest(s *session) *person {
	for {
		if who := citizen(l.dice.IntN(population)); !s.has(who.identity) {
			return who
		}
	}
}

// citizen is always the same person for the same number.
func citizen(n int) *person {
	d := newDice(uint64(n), 2)
	who := &person{role: "person", identity: "u-" + strconv.Itoa(1000+n)}
	switch d.IntN(8) {
	case 0:
		who.identity = d.uuid()
	case 1:
		who.identity = "stu_" + strconv.Itoa(100_000+n)
	}
	if d.chance(0.06) {
		who.name = pick(d, oddNames)
		return who
	}
	language := pick(d, names)
	who.name = pick(d, language.first) + language.join + pick(d, language.last)
	return who
}

// caller is somebody on the phone, sometimes on one of the house. The numbers are of ranges that are kept for fiction.
func (l *Life) caller() *person {
	if l.dice.chance(0.2) {
		extension := strconv.Itoa(200 + l.dice.IntN(50))
		return &person{
			identity: callerPrefix + extension, role: "sip", kind: "SIP", name: "Phone " + extension,
			attributes: map[string]string{"sip.callStatus": "active", "sip.phoneNumber": extension, "sip.trunkID": "ST_roomwatch"},
		}
	}
	number := pick(l.dice, []string{"1555010", "44207946", "49302312", "3319900"}) + strconv.Itoa(1000+l.dice.IntN(9000))
	return &person{
		identity: callerPrefix + number, role: "sip", kind: "SIP", name: "Phone +" + number[:4] + "***" + number[len(number)-4:],
		attributes: map[string]string{"sip.callStatus": "active", "sip.phoneNumber": "+" + number, "sip.trunkID": "ST_roomwatch"},
	}
}
