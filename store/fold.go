package store

import (
	"maps"
	"strings"
	"unicode"
)

// variants are letters that the full-text index takes for the first of their line, small or capital. It
// removes what is above and below letters of the Latin script only; a test holds the two together.
const variants = `
aÀÁÂÃÄÅàáâãäåĀāĂăĄąǍǎǞǟǺǻȀȁȂȃȦȧḀḁẠạẢảẤấẦầẨẩẪẫẬậẮắẰằẲẳẴẵẶặÅ
bḂḃḄḅḆḇ
cÇçĆćĈĉĊċČčḈḉ
dĎďḊḋḌḍḎḏḐḑḒḓ
eÈÉÊËèéêëĒēĔĕĖėĘęĚěȄȅȆȇȨȩḔḕḖḗḘḙḚḛḜḝẸẹẺẻẼẽẾếỀềỂểỄễỆệ
fḞḟ
gĜĝĞğĠġĢģǦǧǴǵḠḡ
hĤĥȞȟḢḣḤḥḦḧḨḩḪḫẖ
iÌÍÎÏìíîïĨĩĪīĬĭĮįǏǐȈȉȊȋḬḭḮḯỈỉỊị
jĴĵǰ
kĶķǨǩḰḱḲḳḴḵ
lĹĺĻļĽľḶḷḸḹḺḻḼḽ
mḾḿṀṁṂṃ
nÑñŃńŅņŇňǸǹṄṅṆṇṈṉṊṋ
oÒÓÔÕÖòóôõöŌōŎŏŐőƠơǑǒǪǫǬǭȌȍȎȏȪȫȬȭȮȯȰȱṌṍṎṏṐṑṒṓỌọỎỏỐốỒồỔổỖỗỘộỚớỜờỞởỠỡỢợ
pṔṕṖṗ
rŔŕŖŗŘřȐȑȒȓṘṙṚṛṜṝṞṟ
sŚśŜŝŞşŠšſȘșṠṡṢṣṤṥṦṧṨṩẛ
tŢţŤťȚțṪṫṬṭṮṯṰṱẗ
uÙÚÛÜùúûüŨũŪūŬŭŮůŰűŲųƯưǓǔǕǖǗǘǙǚǛǜȔȕȖȗṲṳṴṵṶṷṸṹṺṻỤụỦủỨứỪừỬửỮữỰự
vṼṽṾṿ
wŴŵẀẁẂẃẄẅẆẇẈẉẘ
xẊẋẌẍ
yÝýÿŶŷŸȲȳẎẏẙỲỳỴỵỶỷỸỹ
zŹźŻżŽžẐẑẒẓẔẕ
βϐ
εϵ
θϑ
ιι
κϰ
μµ
πϖ
ρϱ
σς
φϕ
`

var plain = maps.Collect(func(yield func(rune, rune) bool) {
	for line := range strings.FieldsSeq(variants) {
		letters := []rune(line)
		for _, variant := range letters[1:] {
			if !yield(variant, letters[0]) {
				return
			}
		}
	}
})

// accents are the combining marks that the full-text index leaves out. Other marks separate words there.
const accents = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u030f" +
	"\u0311\u031b\u0323\u0324\u0325\u0326\u0327\u0328\u032d\u032e\u0330\u0331"

// fold is a character of a word as the full-text index knows it.
func fold(r rune) rune {
	if base, ok := plain[r]; ok {
		return base
	}
	return unicode.ToLower(r)
}
