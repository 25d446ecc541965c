{{- define "understudy.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "understudy.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "understudy.labels" -}}
{{ include "understudy.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}

{{- define "understudy.environment" -}}
{{- $name := include "understudy.name" . -}}
env:
  - name: UNDERSTUDY_ALLOWED_HOSTS
    value: {{ concat (list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) (printf "%s.%s.svc.cluster.local" $name .Release.Namespace)) .Values.allowedHosts | join "," | quote }}
  {{- with .Values.trustedProxies }}
  - name: UNDERSTUDY_TRUSTED_PROXIES
    value: {{ join "," . | quote }}
  {{- end }}
  - name: UNDERSTUDY_GRACE_SECONDS
    value: {{ .Values.graceSeconds | quote }}
  {{- if .Values.database.secretName }}
  - name: DATABASE_URL
    valueFrom:
      secretKeyRef:
        name: {{ .Values.database.secretName }}
        key: {{ .Values.database.secretKey }}
  {{- end }}
  {{- with .Values.store.address }}
  - name: UNDERSTUDY_STORE
    value: {{ . | quote }}
  {{- end }}
  {{- if .Values.grpc.enabled }}
  - name: UNDERSTUDY_GRPC_PORT
    value: {{ .Values.grpc.port | quote }}
  {{- end }}
  {{- range $variable, $value := .Values.settings }}
  - name: {{ $variable }}
    value: {{ $value | quote }}
  {{- end }}
{{- with concat .Values.settingsSecrets (compact (list .Values.store.secretName)) }}
envFrom:
  {{- range . }}
  - secretRef:
      name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}
