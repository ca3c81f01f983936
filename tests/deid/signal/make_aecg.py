"""An HL7 annotated ECG with identifiers in ids, names, devices, texts, comments, attributes and times."""

from __future__ import annotations

from tests.deid.signal.planted import Planted

SAMPLES = {"I": [0, 12, -7, 300, 45, -1], "II": [5, 5, 6, 7, -2000, 3]}


def aecg(who: Planted, *, encoding: str = "utf-8", head: str = "") -> bytes:
    stamp = f"{who.start:%Y%m%d%H%M%S}"
    sequences = "".join(
        f"""<component><sequence classCode="OBS"><code code="MDC_ECG_LEAD_{lead}" codeSystem="2.16.840.1.113883.6.24"
        displayName="{who.korean}"/><value xsi:type="SLIST_PQ"><origin value="0" unit="uV"/>
        <scale value="2.5" unit="uV"/><digits>{" ".join(map(str, values))}</digits></value></sequence></component>"""
        for lead, values in SAMPLES.items()
    )
    text = f"""<?xml version="1.0" encoding="{encoding}"?>{head}<?{"note"} {who.latin}?>
<!-- {who.korean} {who.resident} -->
<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:k="urn:{who.serial}">
 <id root="1.2.410.{who.number}" extension="{who.serial}"/>
 <code code="93000" codeSystem="2.16.840.1.113883.6.12" codeSystemName="{who.hospital}"/>
 <text>{who.note} {who.address}</text>
 <effectiveTime><low value="{stamp}.250" /><high value="{stamp}.750"/></effectiveTime>
 <componentOf><timepointEvent><componentOf><subjectAssignment>
  <subject><trialSubject><id root="1.2.410.7" extension="{who.number}"/>
   <subjectDemographicPerson><name><family>{who.korean}</family><given>{who.latin}</given></name>
    <administrativeGenderCode code="F"/><birthTime value="{who.born:%Y%m%d}"/></subjectDemographicPerson>
  </trialSubject></subject>
  <componentOf><clinicalTrial><id extension="{who.phone}"/><title><![CDATA[{who.doctor} <{who.mail}>]]></title></clinicalTrial></componentOf>
 </subjectAssignment></componentOf></timepointEvent></componentOf>
 <component><series><id root="a-{who.mac}"/><code code="RHYTHM" codeSystem="2.16.840.1.113883.5.4"/>
  <effectiveTime><low value="{stamp}.250"/></effectiveTime>
  <author><seriesAuthor><manufacturedSeriesDevice><id extension="{who.serial}"/><manufacturerModelName>{who.vehicle}</manufacturerModelName>
  </manufacturedSeriesDevice></seriesAuthor></author>
  <secondaryPerformer><name>{who.doctor}</name></secondaryPerformer>
  <k:extra value="{who.phone}">{who.note}</k:extra>
  <component><sequenceSet><component><sequence><code code="TIME_ABSOLUTE" codeSystem="2.16.840.1.113883.5.4"/>
   <value xsi:type="GLIST_TS"><head value="{stamp}.250"/><increment value="0.002" unit="s"/></value></sequence></component>
   {sequences}</sequenceSet></component>
  <subjectOf><annotationSet><activityTime value="{stamp}"/>
   <component><annotation><code code="{who.number}" codeSystem="2.16.840.1.113883.6.24"/><value xsi:type="ST">{who.note}</value></annotation></component>
   <component><annotation><code code="MDC_ECG_HEART_RATE" codeSystem="2.16.840.1.113883.6.24"/>
    <value xsi:type="PQ" value="72" unit="bpm"/>
    <support><supportingROI><code code="ROIPS"/><component><boundary><code code="TIME_ABSOLUTE"/>
     <value xsi:type="IVL_TS"><low value="{stamp}.300"/><high value="{stamp}.500"/></value></boundary></component></supportingROI></support>
   </annotation></component>
   <component><annotation><value xsi:type="ST">sinus rhythm</value></annotation></component>
  </annotationSet></subjectOf>
 </series></component>
</AnnotatedECG>{who.hospital if head == "behind" else ""}
"""  # noqa: E501 - as devices write it
    return text.encode({"euc-kr": "cp949"}.get(encoding, encoding), "xmlcharrefreplace")
